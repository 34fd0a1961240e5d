"""``opentrail anchor``: write a chain's head down elsewhere, and hold the chain to it later."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from opentrail.adapters.aws.audit_keys import KeyFile
from opentrail.adapters.aws.audit_source import AuditSource
from opentrail.adapters.aws.clients import client
from opentrail.cli._audit import find_place, ledger_head, locate, read_head
from opentrail.errors import FormatError, OpenTrailError, StorageError
from opentrail.format import keys
from opentrail.model.digest import Link
from opentrail.model.report import Finding
from opentrail.pipeline.validate import KEY_MARGIN, Evidence, KeySource, Span, prove_chain

EXIT_FINDINGS, EXIT_UNCHECKED = 1, 2
RECENT = timedelta(days=2)


@click.group("anchor")
def command() -> None:
    """Keep a chain's head where the log bucket's owner cannot change it."""


def _chain_options(function: Any) -> Any:
    for option in (
        click.option(
            "--public-keys",
            type=click.Path(path_type=Path),
            help="A kept answer of list-public-keys, as JSON.",
        ),
        click.option("--region", help="The Region whose chain it is (default: the trail's home)."),
        click.option("--account-id", help="The account whose chain it is (default: the trail's)."),
        click.option("--s3-prefix", default="", help="With --s3-bucket: the prefix there."),
        click.option("--s3-bucket", help="Where the digests are now, if not where the trail says."),
        click.option("--trail-arn", required=True, help="The trail."),
    ):
        function = option(function)
    return function


@command.command("show")
@_chain_options
@click.option("--ledger-table", help="Take the head from OpenTrail's ledger, not from the bucket.")
def show(ledger_table: str | None, **options: Any) -> None:
    """Print the newest digest's place, hash and signature, verified, as JSON."""
    try:
        head = _newest(options, ledger_table)
    except OpenTrailError as error:
        click.echo(f"could not check: {error}", err=True)
        sys.exit(EXIT_UNCHECKED)
    click.echo(msgspec.json.format(msgspec.json.encode(head), indent=2).decode())


@command.command("check")
@_chain_options
@click.argument("head_file", type=click.Path(path_type=Path))
def check(head_file: Path, **options: Any) -> None:
    """Hold the chain to a head that ``show`` printed earlier: exit 0 it is kept, 1 it is not, 2 unknown."""
    try:
        findings = _check(options, read_head(head_file))
    except OpenTrailError as error:
        click.echo(f"could not check: {error}", err=True)
        sys.exit(EXIT_UNCHECKED)
    for finding in findings:
        click.echo(str(finding))
    sys.exit(EXIT_FINDINGS if findings else 0)


def _newest(options: dict[str, Any], ledger_table: str | None) -> Link:
    now = datetime.now(UTC)
    if ledger_table is not None:
        place = find_place(options["trail_arn"], options["account_id"], options["region"])
        head = ledger_head(client("dynamodb"), ledger_table, options["trail_arn"], place)
    else:
        source, span = _open(options, now - RECENT, now + KEY_MARGIN)
        head, findings = prove_chain(source, _keys(options, source), span)
        if findings:
            raise StorageError(f"the chain has findings, the first: {findings[0]}")
    if head is None:
        raise StorageError(f"no digest of the last {RECENT.days} days was found")
    return head


def _check(options: dict[str, Any], head: Link) -> tuple[Finding, ...]:
    """Everything from the head's own digest on."""
    try:
        ended = keys.parse_digest_key(head.key).end
    except FormatError as error:
        raise FormatError(f"the head names no digest: {error}") from error
    source, span = _open(options, ended, datetime.now(UTC) + KEY_MARGIN)
    return prove_chain(source, _keys(options, source), span, evidence=Evidence(head=head))[1]


def _keys(options: dict[str, Any], source: AuditSource) -> KeySource:
    return KeyFile(options["public_keys"]) if options["public_keys"] else source


def _open(options: dict[str, Any], start: datetime, end: datetime) -> tuple[AuditSource, Span]:
    place = find_place(options["trail_arn"], options["account_id"], options["region"])
    source = AuditSource(client("s3"), client("cloudtrail", place.region))
    location = locate(source, options["trail_arn"], place.account, options["s3_bucket"], options["s3_prefix"])
    span = Span(
        trail_arn=options["trail_arn"],
        bucket=location.bucket,
        prefix=location.prefix,
        organization=location.organization,
        place=place,
        start=start,
        end=end,
    )
    return source, span
