"""``opentrail anchor``: write a chain's head down elsewhere, and hold the chain to it later."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from opentrail.adapters.aws.clients import client
from opentrail.cli._audit import find_place, ledger_head, read_head
from opentrail.cli._chain import chain_options, key_source, open_chain
from opentrail.errors import FormatError, OpenTrailError, StorageError
from opentrail.format import keys
from opentrail.model.digest import Link
from opentrail.model.report import Finding
from opentrail.pipeline.validate import KEY_MARGIN, Evidence, prove_chain

EXIT_FINDINGS, EXIT_UNCHECKED = 1, 2
RECENT = timedelta(days=2)


@click.group("anchor")
def command() -> None:
    """Keep a chain's head where the log bucket's owner cannot change it."""


@command.command("show")
@chain_options()
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
@chain_options()
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
        source, span = open_chain(options, now - RECENT, now + KEY_MARGIN)
        head, findings = prove_chain(source, key_source(options, source), span)
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
    source, span = open_chain(options, ended, datetime.now(UTC) + KEY_MARGIN)
    return prove_chain(source, key_source(options, source), span, evidence=Evidence(head=head))[1]
