"""Segments as the line delivers them, and lookups in them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from opentrail.adapters.aws.history import DynamoSegments, S3SegmentFiles
from opentrail.branches.history import IndexEntry, Lookup, Page, find_events
from opentrail.format.times import to_iso
from tests.support.history import PLACE
from tests.support.line import Line
from tests.support.records import envelope, make_record, to_bytes

EARLY, LATE = "2025-01-01T00:00:00Z", "2027-01-01T00:00:00Z"


def index(line: Line) -> DynamoSegments:
    return DynamoSegments(line.client("dynamodb"), f"{line.name}-history")


def files(line: Line) -> S3SegmentFiles:
    return S3SegmentFiles(line.client("s3"))


def record(line: Line, *numbers: int, late: timedelta = timedelta(0), **changes: Any) -> None:
    """One segment with these events, which happened when it was made, or ``late`` before."""
    moment = to_iso(line.now - late)
    line.record(
        envelope(to_bytes(make_record(eventID=f"e{number}", eventTime=moment, **changes)))
        for number in numbers
    )
    line.deliver(line.queued_chunks())
    line.wait(minutes=5)


def look(line: Line, **changes: Any) -> Page:
    asked = {"place": PLACE, "start": EARLY, "end": LATE} | changes
    return find_events(Lookup(**asked), index=index(line), files=files(line))


def entries(line: Line, start: str = EARLY, end: str = LATE) -> list[IndexEntry]:
    return list(index(line).entries(PLACE, start=start, end=end))
