"""``opentrail status``: is it well? One screen, for a deployment and for a running ``opentrail up``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.deployment import alarms_ringing, find_deployment, read_functions, read_queues
from opentrail.cli import _health
from opentrail.cli._deployment import UNREACHABLE, UncheckedError, own_cloudtrail, prefix_option
from opentrail.cli._endpoint import call_admin
from opentrail.errors import StorageError

EXIT_UNWELL = 1


@click.command()
@click.option("--endpoint", envvar="AWS_ENDPOINT_URL", help="A running `opentrail up`.")
@click.option("--json", "as_json", is_flag=True, help="Everything there is to know, as JSON.")
@prefix_option
def command(endpoint: str | None, as_json: bool, name_prefix: str) -> None:
    """Say of each part whether it is well: stacks, queues, functions, alarms, trails.

    With AWS_ENDPOINT_URL it asks the `opentrail up` that answers there, else the deployment in AWS.

    Exit code 0: all is well. 1: something is not. 2: it could not be found out.
    """
    if endpoint:
        status = call_admin("GET", endpoint, "status")
        lines = list(_health.of_laptop(status))
        shown: Any = status
    else:
        try:
            lines = list(_of_deployment(name_prefix))
        except (StorageError, *UNREACHABLE) as error:
            raise UncheckedError(str(error)) from error
        shown = [asdict(line) for line in lines]
    click.echo(json.dumps(shown, indent=2) if as_json else "\n".join(map(str, lines)))
    sys.exit(0 if _health.is_well(lines) else EXIT_UNWELL)


def _of_deployment(prefix: str) -> Iterator[_health.Line]:
    deployment = find_deployment(client, prefix)
    yield from _health.of_stacks(deployment.statuses)
    yield from _health.of_queues(read_queues(client, deployment))
    yield from _health.of_functions(read_functions(client, deployment, datetime.now(UTC)))
    yield from _health.of_alarms(alarms_ringing(client, prefix))
    if "ApiUrl" in deployment.outputs:
        yield from _health.of_trails(_trails(own_cloudtrail(deployment)))


def _trails(cloudtrail: Any) -> Iterator[Mapping[str, Any]]:
    for trail in cloudtrail.describe_trails(includeShadowTrails=False)["trailList"]:
        yield {**cloudtrail.get_trail_status(Name=trail["TrailARN"]), "Name": trail["Name"]}
