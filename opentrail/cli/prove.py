"""``opentrail prove``: a small file that proves one record, or that a chain only grew, without the trail."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import click

from opentrail.adapters.aws.audit_source import AuditSource
from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.failure import storage_errors
from opentrail.cli._audit import Location, Moment, digest_regions
from opentrail.cli._chain import chain_options, key_source, open_chain
from opentrail.errors import IntegrityError, OpenTrailError, StorageError
from opentrail.format import times
from opentrail.format.proof import ConsistencyProof, InclusionProof, encode_proof
from opentrail.pipeline.validate import (
    KEY_MARGIN,
    CheckedDigest,
    CheckedTree,
    Reading,
    Span,
    check_trees,
    collect,
    find_record,
    prove_growth,
    prove_record,
)

EXIT_UNPROVEN, EXIT_UNCHECKED = 1, 2
HISTORY = timedelta(days=90)


@click.command("prove")
@chain_options(trail_required=False)
@click.argument("event_id", required=False)
@click.option("--consistency", is_flag=True, help="Prove instead that the last tree begins with the first.")
@click.option("--event-time", type=Moment(), help="When it happened, if known: fewer files are read.")
@click.option("--start-time", type=Moment(), help="Digests that end at or after it (default: 90 days ago).")
@click.option("--end-time", type=Moment(), help="... and at or before this one (default: now).")
@click.option("--out", type=click.File("wb"), default="-", help="Where to write the proof (default: here).")
def command(
    event_id: str | None, consistency: bool, event_time: datetime | None, out: BinaryIO, **options: Any
) -> None:
    """Write the proof that a record is in its trail, for `opentrail verify-proof`.

    Exits with 1 when there is no such record or its tree does not verify, with 2
    when that could not be found out.
    """
    if (event_id is None) is not consistency:
        raise click.UsageError("give an EVENT_ID, or --consistency")
    try:
        proof: InclusionProof | ConsistencyProof
        proof = _prove_growth(options) if event_id is None else _prove_record(event_id, event_time, options)
    except OpenTrailError as error:
        click.echo(f"not proven: {error}", err=True)
        sys.exit(EXIT_UNPROVEN if isinstance(error, IntegrityError) else EXIT_UNCHECKED)
    out.write(encode_proof(proof))


def _prove_record(event_id: str, event_time: datetime | None, options: dict[str, Any]) -> InclusionProof:
    when = event_time or _minted_at(event_id)
    digests = 0
    for moment in dict.fromkeys((when, event_time)):  # a foreign eventID may only look like one with a time
        for source, reading in _chains(options):
            checked = [c for backfill in (False, True) for c in collect(reading, backfill=backfill)]
            readable = [c for c in reversed(checked) if c.digest is not None]
            digests += len(readable)
            found = find_record(source, [c.digest for c in readable if c.digest], event_id, moment)
            if found is not None:
                beside = [c for c in checked if c.digest is found.digest]
                return prove_record(source, found, _tree_beside(reading, beside))
    if not digests:
        raise StorageError("there are no digests of that time")
    raise IntegrityError(f"no log file that a digest lists has a record {event_id}")


def _tree_beside(reading: Reading, digests: list[CheckedDigest]) -> CheckedTree:
    trees = check_trees(reading, digests).checked
    if not trees:
        raise IntegrityError(f"no tree head lies beside {digests[0].stored.key}")
    return trees[0]


def _prove_growth(options: dict[str, Any]) -> ConsistencyProof:
    for _, reading in _chains(options):
        checked = [c for backfill in (False, True) for c in collect(reading, backfill=backfill)]
        trees = [tree for tree in check_trees(reading, checked).checked if tree.head is not None]
        if trees:
            return prove_growth(sorted(trees, key=lambda tree: tree.head.number if tree.head else 0))
    raise StorageError("there are no tree heads of that time")


def _chains(options: dict[str, Any]) -> Iterator[tuple[AuditSource, Reading]]:
    """The chain the options name; without a Region, the trail's home first and then all others."""
    now = datetime.now(UTC)
    start, end = options["start_time"] or now - HISTORY, options["end_time"] or now + KEY_MARGIN
    options = {**options, "trail_arn": options["trail_arn"] or _only_trail(options["region"])}
    source, span = open_chain(options, start, end)
    yield source, Reading.begin(source, key_source(options, source), span)
    if options["region"]:
        return
    for region in _further_regions(source, span):
        source, elsewhere = open_chain({**options, "region": region}, start, end)
        yield source, Reading.begin(source, key_source(options, source), elsewhere)


def _further_regions(source: AuditSource, span: Span) -> list[str]:
    location = Location(span.bucket, span.prefix, span.organization)
    found = digest_regions(source, location, span.place.account)
    return [region for region in found if region != span.place.region]


def _only_trail(region: str | None) -> str:
    with storage_errors("ask for the trails"):  # without a Region no client can be made
        cloudtrail = client("cloudtrail", region or "")
    found = AuditSource(client("s3"), cloudtrail).trail_arns()
    if len(found) != 1:
        raise StorageError(f"--trail-arn is needed: there are {len(found)} trails: {', '.join(found)}")
    return found[0]


def _minted_at(event_id: str) -> datetime | None:
    """The time in an eventID of ours (UUIDv7: milliseconds first)."""
    if len(event_id) == 36 and event_id[14] == "7":
        with suppress(ValueError, OverflowError):
            return times.from_epoch(int(event_id[:8] + event_id[9:13], 16) / 1000)
    return None
