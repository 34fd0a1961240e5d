"""``opentrail validate``: prove a trail's log files from its digests, independently of aws-cli."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from opentrail.cli._anchor import anchor_options
from opentrail.cli._audit import Moment
from opentrail.cli._validation import Result, prove_trail
from opentrail.errors import OpenTrailError
from opentrail.model.report import Report
from opentrail.pipeline.validate.merge import place_of

EXIT_PROVEN, EXIT_FINDINGS, EXIT_UNCHECKED = 0, 1, 2


@click.command("validate")
@click.option("--trail-arn", required=True, help="The trail whose files to prove.")
@click.option(
    "--start-time", type=Moment(), help="Digests that end at or after this time (default: 90 days ago)."
)
@click.option("--end-time", type=Moment(), help="... and at or before this one (default: now).")
@click.option("--s3-bucket", help="Where the digests are now, if not where the trail says.")
@click.option("--s3-prefix", default="", help="With --s3-bucket: the prefix there.")
@click.option(
    "--account-id",
    help="The account whose files to prove (default: the trail's; of an organization's trail every one).",
)
@click.option("--region", help="The Region whose files to prove (default: every one the trail digests).")
@click.option(
    "--public-keys", type=click.Path(path_type=Path), help="A kept answer of list-public-keys, as JSON."
)
@click.option("--head", type=click.Path(path_type=Path), help="A head that `opentrail anchor show` printed.")
@anchor_options
@click.option("--ledger-table", help="Take the heads of this ledger, too: of a deployment without an anchor.")
@click.option(
    "--object-lock/--no-object-lock",
    default=None,
    help="Find objects without retention (default: where the bucket retains by default, as long as it says).",
)
@click.option("--resume", type=click.Path(path_type=Path), help="Note good files here; go on from there.")
@click.option("--processes", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(as_json: bool, **options: Any) -> None:
    """Prove that a trail's log files are whole and unchanged.

    Looks at every Region, and for an organization's trail at every account, that
    has digests of the trail or should have. aws-cli wants each account named.

    Exits with 0 when they are, with 1 when something is wrong, with 2 when it
    could not be found out.
    """
    try:
        result = prove_trail(options)
    except OpenTrailError as error:
        click.echo(f"could not check: {error}", err=True)
        sys.exit(EXIT_UNCHECKED)
    click.echo(_as_json(result) if as_json else "\n".join(_as_lines(result)))
    if result.hint:
        click.echo(result.hint, err=True)
    sys.exit(exit_code(result))


def exit_code(result: Result) -> int:
    """0 proven, 1 findings, 2 there is a chain with nothing to judge by."""
    if result.whole.findings:
        return EXIT_FINDINGS
    return EXIT_PROVEN if result.proven else EXIT_UNCHECKED


def _as_json(result: Result) -> str:
    document = {
        **msgspec.to_builtins(result.whole),
        "proven": result.proven,
        "chains": [{**msgspec.to_builtins(r), "proven": r.proven} for r in result.reports],
    }
    return json.dumps(document, indent=2)


def _as_lines(result: Result) -> Iterator[str]:
    whole = result.whole
    yield from map(str, whole.findings)
    yield from whole.notes
    if not whole.digests:
        yield "No digests found"
        return
    if len(result.reports) > 1:
        for report in result.reports:
            yield f"{place_of(report)}: {', '.join(_counts(report))}"
    yield from _counts(whole)
    if result.proven:
        yield "Proven."
    else:
        yield f"{len(whole.findings)} findings." if whole.findings else "Not proven: see above."


def _counts(report: Report) -> Iterator[str]:
    yield f"{report.digests_valid}/{report.digests} digest files valid"
    if report.backfill_digests:
        yield f"{report.backfill_digests_valid}/{report.backfill_digests} backfill digest files valid"
    yield f"{report.logs_valid}/{report.logs} log files valid"
    if report.tree_heads:
        yield f"{report.tree_heads_valid}/{report.tree_heads} tree heads valid"
