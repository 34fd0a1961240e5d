"""``opentrail anchor``: what is written down of a chain outside its bucket, and holding the chain to it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from opentrail.cli._anchor import anchor_options, find_anchor
from opentrail.cli._audit import Moment, find_place, read_head
from opentrail.cli._chain import chain_options, key_source, open_chain
from opentrail.errors import FormatError, OpenTrailError, StorageError
from opentrail.format import keys
from opentrail.format.times import to_iso
from opentrail.model.digest import Link
from opentrail.model.report import Finding
from opentrail.pipeline.validate import KEY_MARGIN, Evidence, prove_chain

EXIT_FINDINGS, EXIT_UNCHECKED = 1, 2
RECENT, HISTORY = timedelta(days=2), timedelta(days=90)


@click.group("anchor")
def command() -> None:
    """Heads of digest chains, kept where the log bucket's and the ledger's writers cannot change them."""


@command.command("show")
@chain_options()
@anchor_options
@click.option(
    "--from-bucket", is_flag=True, help="Read and verify the bucket instead: of a trail without an anchor."
)
def show(**options: Any) -> None:
    """Print a chain's newest head as JSON: place, hash, signature, Merkle root. To be kept elsewhere."""
    try:
        head = _of_bucket(options) if options["from_bucket"] else _of_table(options)
    except OpenTrailError as error:
        click.echo(f"could not check: {error}", err=True)
        sys.exit(EXIT_UNCHECKED)
    click.echo(msgspec.json.format(msgspec.json.encode(head), indent=2).decode())


@command.command("check")
@chain_options()
@anchor_options
@click.option("--start-time", type=Moment(), help="Anchored heads from this time on (default: 90 days ago).")
@click.argument("head_file", type=click.Path(path_type=Path), required=False)
def check(head_file: Path | None, **options: Any) -> None:
    """Hold a chain to its anchored heads, or to one head that ``show`` printed earlier.

    Exits with 0 when the chain keeps to them, with 1 when it does not, with 2 when it
    could not be found out.
    """
    try:
        findings, held = _check(options, head_file)
    except OpenTrailError as error:
        click.echo(f"could not check: {error}", err=True)
        sys.exit(EXIT_UNCHECKED)
    for finding in findings:
        click.echo(str(finding))
    if not findings:
        click.echo(f"The chain keeps to {held} anchored heads." if head_file is None else "The head is kept.")
    sys.exit(EXIT_FINDINGS if findings else 0)


def _of_table(options: dict[str, Any]) -> Link:
    place = find_place(options["trail_arn"], options["account_id"], options["region"])
    chain_id = f"{options['trail_arn']}#{place.account}#{place.region}"
    found = {head.line: head for head in find_anchor(options, options["trail_arn"]).newest()}
    if chain_id not in found:
        raise StorageError(f"no head of {options['trail_arn']} in {place.account} {place.region} is anchored")
    return found[chain_id]


def _of_bucket(options: dict[str, Any]) -> Link:
    now = datetime.now(UTC)
    source, span = open_chain(options, now - RECENT, now + KEY_MARGIN)
    head, findings = prove_chain(source, key_source(options, source), span)
    if findings:
        raise StorageError(f"the chain has findings, the first: {findings[0]}")
    if head is None:
        raise StorageError(f"no digest of the last {RECENT.days} days was found")
    return head


def _check(options: dict[str, Any], head_file: Path | None) -> tuple[tuple[Finding, ...], int]:
    """What is wrong with the chain from the oldest head on, and how many heads there are."""
    now = datetime.now(UTC)
    begin = options["start_time"] or now - HISTORY
    if head_file is not None:
        begin = _end_of(head := read_head(head_file))
    source, span = open_chain(options, begin, now + KEY_MARGIN)
    if head_file is not None:
        evidence = Evidence(head=head)
    else:
        anchor = find_anchor(options, span.trail_arn)
        heads = [head for head in anchor.heads(span.chain_id, begin, span.end) if not head.backfill]
        if not heads:
            raise StorageError(f"no head since {to_iso(begin)} is anchored")
        evidence = Evidence(anchored=tuple(heads))
    return prove_chain(source, key_source(options, source), span, evidence=evidence)[1], len(
        evidence.anchored
    )


def _end_of(head: Link) -> datetime:
    try:
        return keys.parse_digest_key(head.key).end
    except FormatError as error:
        raise FormatError(f"the head names no digest: {error}") from error
