"""Made-up values of the model. ``make_trail(logging=False)`` changes the one field that matters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from opentrail.format import chunk
from opentrail.format.times import to_iso
from opentrail.model.event import Event, Place
from opentrail.model.log_file import Chunk, Destination, LogFile
from opentrail.model.trail import Trail
from tests.support.records import ACCOUNT, REGION, make_record, to_bytes

HOME = Place(ACCOUNT, REGION)
ABROAD = Place(ACCOUNT, "eu-west-1")
START = datetime(2026, 1, 10, 4, 20, tzinfo=UTC)
BUCKET = "audit-logs"


def make_trail(**changes: Any) -> Trail:
    """A trail of the home Region that logs, with validation, since ``START``."""
    facts: dict[str, Any] = {
        "account": ACCOUNT,
        "home_region": REGION,
        "name": "main",
        "bucket": BUCKET,
        "multi_region": True,
        "log_file_validation": True,
        "logging": True,
        "started_at": START.timestamp(),
        "validation_since": START.timestamp(),
    }
    return Trail(**(facts | changes))


def make_event(event_id: str = "e", **changes: Any) -> Event:
    """A management event of the home Region that arrived a second after ``START``."""
    place = changes.get("place", HOME)
    facts: dict[str, Any] = {
        "raw": to_bytes(make_record(eventID=event_id, requestID="r")),
        "place": place,
        "arrived": place,
        "arrived_at": START.timestamp() + 1,
        "event_id": event_id,
        "time": to_iso(START),
        "source": "iam.amazonaws.com",
        "name": "CreateUser",
        "category": "Management",
        "event_type": "AwsApiCall",
    }
    return Event(**(facts | changes))


def make_destination(name: str = "main", **changes: Any) -> Destination:
    """A trail with validation since ``START`` as a destination."""
    facts: dict[str, Any] = {
        "name": make_trail(name=name).arn,
        "bucket": BUCKET,
        "digested_since": START.timestamp(),
    }
    return Destination(**(facts | changes))


def make_chunk(
    *event_ids: str,
    destinations: tuple[Destination, ...] | None = None,
    place: Place = HOME,
    folder: str = "CloudTrail",
    **changes: Any,
) -> Chunk:
    """One record for each of ``event_ids``, for the trail ``main`` unless told."""
    return chunk.make_chunk(
        [make_event(event_id, place=place, **changes) for event_id in event_ids],
        destinations=(make_destination(),) if destinations is None else destinations,
        place=place,
        folder=folder,
    )


def make_log_file(token: str = "t", **changes: Any) -> LogFile:
    """A log file that was begun at ``START``."""
    facts: dict[str, Any] = {
        "bucket": BUCKET,
        "key": f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/01/10/{token}.json.gz",
        "sha256": "0" * 64,
        "count": 1,
        "oldest": to_iso(START),
        "newest": to_iso(START),
        "created_at": START.timestamp(),
    }
    return LogFile(**(facts | changes))
