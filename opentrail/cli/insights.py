"""``opentrail insights``: what Insights would have said of the past."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

import click

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.failure import storage_errors
from opentrail.branches.history.attributes import read_record
from opentrail.branches.history.tally import MANAGEMENT, Tally
from opentrail.branches.insights.backtest import backtest
from opentrail.branches.insights.baseline import Sensitivity
from opentrail.branches.insights.chart import find_chart
from opentrail.branches.insights.count import Counted, count_records, read_counts
from opentrail.branches.insights.series import Scope
from opentrail.cli._insight_picture import draw
from opentrail.errors import FormatError, OpenTrailError
from opentrail.format.insight import encode_insight
from opentrail.format.log_file import decompress, split_records
from opentrail.model.event import Place

Callers = dict[Scope, list[bytes]]
Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def command() -> None:
    """Unusual rates of calls and errors."""


def _of_the_past(function: Command) -> Command:
    """The options that say which past to look at."""
    for option in (
        click.option(
            "--least-days",
            default=Sensitivity().least_days,
            show_default=True,
            type=click.FloatRange(2, 28),
            help="Days of counts before anything is judged.",
        ),
        click.option(
            "--counts", type=click.File("rb"), help="NDJSON, one line per API and minute; - reads stdin."
        ),
        click.option("--bucket", help="s3://BUCKET/PREFIX: all log files under it."),
    ):
        function = option(function)
    return function


@command.command("backtest")
@_of_the_past
@click.option("--json", "only_json", is_flag=True, help="Print no summary to standard error.")
def backtest_command(bucket: str | None, counts: BinaryIO | None, least_days: float, only_json: bool) -> None:
    """Print the Insight events there would have been, one JSON object a line.

    Exit code 2: the counts or log files cannot be read.
    """
    counted, callers = _read_past(bucket, counts)
    events = backtest(counted, Sensitivity(least_days=least_days), callers=callers)
    for event in events:
        sys.stdout.buffer.write(encode_insight(event) + b"\n")
    sys.stdout.buffer.flush()
    if not only_json:
        starts = sum(event.details.state == "Start" for event in events)
        click.echo(f"{starts} incidents in {len(counted)} series", err=True)


@command.command("show")
@click.argument("insight_id", metavar="ID")
@click.option("--png", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@_of_the_past
def show_command(
    insight_id: str, png: Path, bucket: str | None, counts: BinaryIO | None, least_days: float
) -> None:
    """Draw an incident: its API's calls, what was expected, the bounds.

    ID is the eventID or sharedEventID of an Insight event that `backtest` prints for the same counts or
    log files; they are replayed. Of what the deployed function keeps nothing is read: for an Insight of
    a deployment name the bucket its log files are in.

    Exit code 1: no incident there has this ID. 2: the counts or log files cannot be read, the picture
    cannot be written, or matplotlib is not installed.
    """
    counted, _ = _read_past(bucket, counts)
    chart = find_chart(counted, insight_id, Sensitivity(least_days=least_days))
    if chart is None:
        click.echo(f"opentrail: no incident with the ID {insight_id} in {len(counted)} series", err=True)
        raise SystemExit(1)
    try:
        draw(chart, png)
    except (OpenTrailError, OSError) as error:
        click.echo(f"opentrail: {error}", err=True)
        raise SystemExit(2) from error


def _read_past(bucket: str | None, counts: BinaryIO | None) -> tuple[Counted, Callers | None]:
    """Calls by series and minute, and who called where that is known."""
    if (bucket is None) == (counts is None):
        raise click.UsageError("give either --bucket or --counts")
    try:
        return (read_counts(counts), None) if counts is not None else _count_bucket(bucket or "")
    except OpenTrailError as error:
        click.echo(f"opentrail: {error}", err=True)
        raise SystemExit(2) from error


def _count_bucket(url: str) -> tuple[Counted, Callers]:
    """Calls by series and minute, and who called, file by file."""
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc:
        raise click.UsageError("--bucket wants s3://BUCKET/PREFIX")
    s3 = client("s3")
    counted: Counted = {}
    callers: Callers = {}
    for key in _log_keys(s3, parts.netloc, parts.path.lstrip("/")):
        with storage_errors(f"get s3://{parts.netloc}/{key}"):
            body = s3.get_object(Bucket=parts.netloc, Key=key)["Body"].read()
        try:
            records = split_records(decompress(body))
        except FormatError as error:
            click.echo(f"opentrail: left out s3://{parts.netloc}/{key}: {error}", err=True)
            continue
        place, tally = _place_of(key), Tally(MANAGEMENT)
        count_records(counted, records, place)
        tally.add(map(read_record, records))
        callers.setdefault(Scope(place), []).append(tally.callers())
    return counted, callers


def _log_keys(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    """Keys of log files of calls: neither digests nor Insight events."""
    with storage_errors(f"list s3://{bucket}/{prefix}"):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                name = Path(item["Key"]).name
                if "_CloudTrail_" in name and name.endswith(".json.gz"):
                    yield item["Key"]


def _place_of(key: str) -> Place:
    account, _, region, *_ = Path(key).name.split("_")
    return Place(account, region)
