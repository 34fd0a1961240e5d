"""``opentrail validate``: prove a trail's log files from its digests, independently of aws-cli."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from opentrail.adapters.aws.audit_keys import KeyFile
from opentrail.adapters.aws.audit_source import AuditSource
from opentrail.adapters.aws.clients import client
from opentrail.cli._anchor import anchor_options, try_anchor
from opentrail.cli._audit import (
    Moment,
    digest_regions,
    find_place,
    ledger_head,
    locate,
    read_head,
    read_known,
    span_of,
)
from opentrail.errors import OpenTrailError
from opentrail.format.digest_file import ListedFile
from opentrail.model.digest import Head, Link
from opentrail.model.report import Report
from opentrail.pipeline.validate import KEY_MARGIN, Evidence, Span, prove

EXIT_PROVEN, EXIT_FINDINGS, EXIT_UNCHECKED = 0, 1, 2
HISTORY = timedelta(days=90)


@click.command("validate")
@click.option("--trail-arn", required=True, help="The trail whose files to prove.")
@click.option(
    "--start-time", type=Moment(), help="Digests that end at or after this time (default: 90 days ago)."
)
@click.option("--end-time", type=Moment(), help="... and at or before this one (default: now).")
@click.option("--s3-bucket", help="Where the digests are now, if not where the trail says.")
@click.option("--s3-prefix", default="", help="With --s3-bucket: the prefix there.")
@click.option("--account-id", help="The account whose files to prove (default: the trail's).")
@click.option("--region", help="The Region whose files to prove (default: the trail's home).")
@click.option(
    "--public-keys", type=click.Path(path_type=Path), help="A kept answer of list-public-keys, as JSON."
)
@click.option("--head", type=click.Path(path_type=Path), help="A head that `opentrail anchor show` printed.")
@anchor_options
@click.option("--ledger-table", help="Take the head of this ledger, too: of a deployment without an anchor.")
@click.option("--resume", type=click.Path(path_type=Path), help="Note good files here; go on from there.")
@click.option("--processes", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(as_json: bool, **options: Any) -> None:
    """Prove that a trail's log files are whole and unchanged.

    Exits with 0 when they are, with 1 when something is wrong, with 2 when it
    could not be found out.
    """
    try:
        with ExitStack() as open_files:
            report, hint = _prove(options, open_files)
    except OpenTrailError as error:
        click.echo(f"could not check: {error}", err=True)
        sys.exit(EXIT_UNCHECKED)
    click.echo(_as_json(report) if as_json else _as_text(report))
    if hint:
        click.echo(hint, err=True)
    sys.exit(exit_code(report))


def _prove(options: dict[str, Any], open_files: ExitStack) -> tuple[Report, str]:
    trail_arn = options["trail_arn"]
    place = find_place(trail_arn, options["account_id"], options["region"])
    source = _open_source(options, place.region, open_files)
    location = locate(source, trail_arn, place.account, options["s3_bucket"], options["s3_prefix"])
    now = datetime.now(UTC)
    span = span_of(
        trail_arn,
        location,
        place,
        start=options["start_time"] or now - HISTORY,
        # A window closed early may end a few seconds ahead of the clock.
        end=options["end_time"] or now + KEY_MARGIN,
        open_end=options["end_time"] is None,
    )
    key_source = KeyFile(options["public_keys"]) if options["public_keys"] else source
    anchored, note = _anchored(options, span)
    evidence = Evidence(
        head=_head(options, span), anchored=anchored, delivered_at=_delivered(options, source, span)
    )
    report = prove(source, key_source, span, evidence=evidence, on_logs=_progress(open_files))
    report = msgspec.structs.replace(report, notes=(*report.notes, note))
    hint = ""
    if not report.digests:
        regions = digest_regions(source, location, place.account)
        hint = f"{place.account} has digests in: {', '.join(regions) or 'no Region'}"
    return report, hint


def _open_source(options: dict[str, Any], region: str, open_files: ExitStack) -> AuditSource:
    known: frozenset[tuple[str, str, str]] = frozenset()
    note: Callable[[ListedFile], None] = lambda file: None  # noqa: E731
    if options["resume"] is not None:
        known = read_known(options["resume"])
        note = open_files.enter_context(_notes(options["resume"]))
    return AuditSource(
        client("s3"),
        client("cloudtrail", region),
        processes=options["processes"],
        known=known,
        on_good=note,
    )


@contextmanager
def _notes(path: Path) -> Iterator[Callable[[ListedFile], None]]:
    with path.open("a", buffering=1) as lines:
        yield lambda file: print(json.dumps([file.bucket, file.key, file.sha256]), file=lines)


def _head(options: dict[str, Any], span: Span) -> Link | None:
    if options["head"] is not None:
        return read_head(options["head"])
    if options["ledger_table"] is not None:
        return ledger_head(client("dynamodb"), options["ledger_table"], span.trail_arn, span.place)
    return None


def _anchored(options: dict[str, Any], span: Span) -> tuple[tuple[Head, ...], str]:
    """The anchored heads of the span, and a sentence about them."""
    anchor, missing = try_anchor(options, span.trail_arn)
    if anchor is None:
        return (), missing
    heads = tuple(anchor.heads(span.chain_id, span.start, span.end))
    return heads, f"held to {len(heads)} anchored heads"


def _delivered(options: dict[str, Any], source: AuditSource, span: Span) -> datetime | None:
    """What CloudTrail says of the newest digest. Of a copy elsewhere, or another account, it says nothing."""
    if options["s3_bucket"] is not None or span.place.account != span.trail_arn.split(":")[4]:
        return None
    return source.digest_delivered(span.trail_arn)


def _progress(open_files: ExitStack) -> Callable[[int], Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere."""

    def begin(count: int) -> Callable[[int], None]:
        if not sys.stderr.isatty():
            return lambda done: None
        bar = click.progressbar(length=count, label="log files", file=sys.stderr)
        return open_files.enter_context(bar).update

    return begin


def exit_code(report: Report) -> int:
    """0 proven, 1 findings, 2 nothing to judge by."""
    if report.findings:
        return EXIT_FINDINGS
    return EXIT_PROVEN if report.proven else EXIT_UNCHECKED


def _as_json(report: Report) -> str:
    document = {**msgspec.to_builtins(report), "proven": report.proven}
    return json.dumps(document, indent=2)


def _as_text(report: Report) -> str:
    lines = [str(finding) for finding in report.findings] + list(report.notes)
    if not report.digests:
        lines.append("No digests found")
    else:
        lines.append(f"{report.digests_valid}/{report.digests} digest files valid")
        if report.backfill_digests:
            lines.append(
                f"{report.backfill_digests_valid}/{report.backfill_digests} backfill digest files valid"
            )
        lines.append(f"{report.logs_valid}/{report.logs} log files valid")
        if report.tree_heads:
            lines.append(f"{report.tree_heads_valid}/{report.tree_heads} tree heads valid")
        lines.append("Proven." if report.proven else f"{len(report.findings)} findings.")
    return "\n".join(lines)
