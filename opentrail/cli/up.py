"""``opentrail up``: all of AWS on one endpoint, with OpenTrail deployed behind it."""

from __future__ import annotations

import gc
import logging
import os
import re
import sys
from pathlib import Path
from typing import Any

import botocore.loaders
import click


class Account(click.ParamType[str]):
    """Twelve digits."""

    name = "account"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check it."""
        if not re.fullmatch("[0-9]{12}", value):
            self.fail(f"{value!r} is not an account: 12 digits", param, ctx)
        return str(value)


class Region(click.ParamType[str]):
    """One that botocore, and so moto, knows."""

    name = "region"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check it."""
        partitions = botocore.loaders.Loader().load_data("endpoints")["partitions"]
        if not any(value in partition["regions"] for partition in partitions):
            self.fail(f"{value!r} is not a Region", param, ctx)
        return str(value)


class Writable(click.Path):
    """A directory, which is made when it is not there."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Make it."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.fail(str(error), param, ctx)
        return path


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=4566, show_default=True, type=click.IntRange(0, 65535), help="0 picks a free one."
)
@click.option(
    "--account",
    default="123456789012",
    show_default=True,
    type=Account(),
    help="Account of callers with unknown keys.",
)
@click.option(
    "--region",
    default="us-east-1",
    show_default=True,
    type=Region(),
    help="Region OpenTrail is deployed in.",
)
@click.option(
    "--delivery-seconds",
    default=1,
    show_default=True,
    type=click.IntRange(1, 300),
    help="How long records are collected into one log file.",
)
@click.option(
    "--digest-seconds",
    default=3600,
    show_default=True,
    type=click.IntRange(1, 86400),
    help="Length of a digest window.",
)
@click.option(
    "--lookups-per-second",
    default=0,
    type=click.IntRange(0),
    help="Throttle LookupEvents for each account and Region; AWS allows 2, 0 is never.  [default: 0]",
)
@click.option(
    "--remediation",
    type=click.Choice(["observe", "enforce"]),
    help="Also deploy the playbooks that undo dangerous changes, or say that they would.",
)
@click.option(
    "--detections", is_flag=True, help="Also deploy rules in Sigma; the calls they find become findings."
)
@click.option(
    "--ingest",
    is_flag=True,
    help="Also make the bucket opentrail-source: CloudTrail's log files that are put there are ingested.",
)
@click.option(
    "--export",
    type=Writable(file_okay=False, writable=True),
    help="A directory: delivered files are also written there, as BUCKET/KEY.",
)
@click.option(
    "--assembly",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A CDK cloud assembly (cdk.out) to deploy in place of the packaged one.",
)
@click.option("--iam", is_flag=True, help="Refuse calls that IAM, bucket and key policies do not allow.")
@click.option("--bare", is_flag=True, help="Deploy nothing: `cdk deploy` to the endpoint brings OpenTrail.")
@click.option("--verbose", is_flag=True, help="Log what the runtime does to standard error.")
def command(
    host: str,
    port: int,
    account: str,
    region: str,
    delivery_seconds: int,
    digest_seconds: int,
    lookups_per_second: int,
    remediation: str | None,
    detections: bool,
    ingest: bool,
    export: Path | None,
    assembly: Path | None,
    iam: bool,
    bare: bool,
    verbose: bool,
) -> None:
    """Serve AWS and CloudTrail on this machine until Ctrl-C.

    Prints one line, `OpenTrail ready at http://HOST:PORT`, when it answers.
    """
    adding = {
        "--remediation": remediation,
        "--detections": detections,
        "--ingest": ingest,
        "--assembly": assembly,
    }
    if bare and (name := next((name for name, given in adding.items() if given), "")):
        raise click.UsageError(f"--bare deploys nothing: {name} does not go with it")
    # Imported here: moto takes a second, and the other verbs do not need it.
    # moto opens a session as it is imported; a profile that is not on this machine would end it.
    os.environ.pop("AWS_PROFILE", None)
    from opentrail.errors import OpenTrailError
    from opentrail.local.runtime import Options, Runtime, deploy_stacks, own_services
    from opentrail.local.up import serve

    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, stream=sys.stderr)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    options = Options(
        account=account,
        region=region,
        delivery_seconds=delivery_seconds,
        digest_seconds=digest_seconds,
        lookups_per_second=lookups_per_second,
        remediation=remediation or "",
        detections=detections,
        ingest=ingest,
        export=export,
        assembly=assembly,
        iam=iam,
        bare=bare,
    )
    try:
        serve(Runtime(options, deploy=deploy_stacks, services=own_services), host, port, sys.stdout)
    except (OpenTrailError, OSError) as error:
        raise click.ClickException(str(error)) from error
    # Everything is stopped by now. Without this Python looks through all that moto held, object by object,
    # before it ends: many seconds after a busy day, for memory that goes with the process.
    gc.freeze()
