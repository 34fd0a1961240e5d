"""``opentrail lookup``: search event history with every filter at once."""

from __future__ import annotations

import csv
import heapq
import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from opentrail.adapters.aws.clients import client
from opentrail.cli._event_filters import (
    Filters,
    LookupFailedError,
    When,
    filter_options,
    pages,
    take_filters,
)
from opentrail.cli._shown_event import ShownEvent

DEFAULT_LIMIT = 50
_COLUMNS = ("TIME", "WHO", "SOURCE", "NAME", "REGION", "RESOURCE", "ERROR")
_CSV_COLUMNS = (
    *("eventTime", "eventID", "username", "accessKeyId", "eventSource", "eventName", "readOnly", "awsRegion"),
    *("sourceIPAddress", "userAgent", "resources", "errorCode", "errorMessage"),
)

EPILOG = """\b
Examples:
  opentrail lookup --since 1h
  opentrail lookup --principal alice --errors
  opentrail lookup --name 'Delete*' --source s3 --since 7d --output csv
  opentrail lookup --resource my-bucket --writes --output json
  opentrail lookup --event-id 01a20a08-2744-761d-bcad-277159143b84 --output json
"""


@click.command("lookup", epilog=EPILOG)
@filter_options
@click.option(
    "--since", "--from", "--start-time", type=When(), help="From this time on: 2026-01-10T04:00Z, 15m, 7d."
)
@click.option("--until", "--to", "--end-time", type=When(), help="Up to this time.")
@click.option(
    "--limit",
    default=DEFAULT_LIMIT,
    show_default=True,
    type=click.IntRange(0),
    help="Most events to show; 0 is all.",
)
@click.option(
    "--output", default="table", show_default=True, type=click.Choice(["table", "json", "csv"]), help="Form."
)
@click.option("--json", "output", flag_value="json", help="The same as --output json.")
def command(
    since: datetime | None,
    until: datetime | None,
    limit: int,
    output: str,
    region: tuple[str, ...],
    **options: Any,
) -> None:
    """Show events of the last 90 days, newest first, that fit every filter given.

    An option given more than once takes any of its values; * stands for any text. Asks
    LookupEvents of AWS_ENDPOINT_URL, or of AWS itself when that is not set.

    Exit code 1: refused. 2: nothing answers.
    """
    filters = take_filters(options)
    found = search(filters, regions=region, since=since, until=until)
    try:
        events = list(islice(found, limit or None))
    except (ClientError, BotoCoreError) as error:
        raise LookupFailedError(error) from error
    click.echo(_FORMS[output](events), nl=False)


def search(
    filters: Filters, *, regions: tuple[str, ...], since: datetime | None, until: datetime | None
) -> Iterator[ShownEvent]:
    """Every event that fits, newest first over all Regions; reads on only as far as it is asked.

    Args:
        filters: what an event must have.
        regions: where; none means the environment's.
        since: the earliest EventTime, None for all of history.
        until: the latest.

    Raises:
        ClientError: CloudTrail refused.
        BotoCoreError: it did not answer.
    """
    request = filters.request()
    request |= {"StartTime": since} if since else {}
    request |= {"EndTime": until} if until else {}
    streams = [_stream(filters, region, request) for region in regions or ("",)]
    return heapq.merge(*streams, key=lambda event: event.moment, reverse=True)


def _stream(filters: Filters, region: str, request: dict[str, Any]) -> Iterator[ShownEvent]:
    for page in pages(client("cloudtrail", region), request):
        yield from filter(filters.match, page)


def as_table(events: Iterable[ShownEvent]) -> str:
    """Aligned columns, nothing cut off."""
    rows = [_COLUMNS, *map(_row, events)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)


def _row(event: ShownEvent) -> tuple[str, ...]:
    resource = event.resources[0] if event.resources else ""
    return event.time, event.who, event.service, event.name, event.region, resource, event.error


def as_json(events: Iterable[ShownEvent]) -> str:
    """An array of Events as LookupEvents answers them, with each record as an object."""
    shown = [{**e.event, "EventTime": e.time, "CloudTrailEvent": e.record} for e in events]
    return json.dumps(shown, indent=2) + "\n"


def as_csv(events: Iterable[ShownEvent]) -> str:
    """RFC 4180 with a header line; several resources are separated by spaces."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_CSV_COLUMNS)
    for event in events:
        writer.writerow(_csv_row(event))
    return text.getvalue()


def _csv_row(event: ShownEvent) -> tuple[str, ...]:
    return (
        *(event.time, event.id, event.who, event.access_key, event.source, event.name),
        *("true" if event.read_only else "false", event.region, event.ip, event.agent),
        *(" ".join(event.resources), event.error, event.error_message),
    )


_FORMS = {"table": as_table, "json": as_json, "csv": as_csv}
