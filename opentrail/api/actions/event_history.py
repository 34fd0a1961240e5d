"""LookupEvents: the last 90 days of management events, or of Insights, in one account and Region.

Source: API reference, LookupEvents; the texts of its errors are not published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil, floor
from typing import Any

import msgspec

from opentrail.api.errors import ApiError
from opentrail.api.scene import Scene
from opentrail.branches.history import Found, Lookup, find_events
from opentrail.branches.history.attributes import read_only, user_name
from opentrail.branches.history.tokens import read_token, write_token
from opentrail.errors import FormatError
from opentrail.format.times import from_epoch, from_iso, to_iso
from opentrail.model.event import Place

HISTORY = timedelta(days=90)  # user guide, "Working with CloudTrail event history"
MAX_PAGE = 50
MAX_VALUE_CHARACTERS = 2000
_COUNTED_TWICE = "_ ,\n"  # API reference, LookupAttribute
_OF_INSIGHTS = ("EventId", "EventName", "EventSource")
_LAST_MOMENT = 253402300799.0  # the end of the year 9999
# eventContext is for event data stores only; LookupEvents never shows it (user guide, "Enriched events").
_CONTEXT = "eventContext"

Members = Mapping[str, Any]


def lookup_events(scene: Scene, given: Members) -> Members:
    """LookupEvents. At most one attribute; newest first; a token is good for the same request only."""
    _refuse_haste(scene)
    lookup, asked_range = _read(scene, given)
    if "NextToken" in given:
        lookup = _go_on(lookup, given["NextToken"], asked_range)
    page = find_events(lookup, index=scene.ports.segments, files=scene.ports.segment_files)
    shown: dict[str, Any] = {"Events": [_show(found) for found in page.events]}
    if page.last is not None:
        shown["NextToken"] = write_token(page.last, lookup, asked_range)
    return shown


def _refuse_haste(scene: Scene) -> None:
    rate = scene.ports.lookup_rate
    if rate is not None and not rate.take(scene.account, scene.region, scene.now):
        raise ApiError("ThrottlingException", "Rate exceeded")


def _read(scene: Scene, given: Members) -> tuple[Lookup, tuple[str, ...]]:
    """What is asked for, and its times as they were given."""
    insights = "EventCategory" in given
    attribute, value = _read_attribute(given.get("LookupAttributes") or [], insights)
    start, end = _read_range(given.get("StartTime"), given.get("EndTime"), scene.now)
    lookup = Lookup(
        place=Place(scene.account, scene.region),
        start=_to_second(start, up=True),
        end=_to_second(end, up=False),
        attribute=attribute,
        value=value,
        insights=insights,
        limit=given.get("MaxResults", MAX_PAGE),
    )
    times = tuple(str(given[name].timestamp()) if name in given else "" for name in ("StartTime", "EndTime"))
    return lookup, times


def _read_attribute(attributes: list[dict[str, str]], insights: bool) -> tuple[str, str]:
    if not attributes:
        return "", ""
    if len(attributes) > 1:
        raise _bad_attribute("You can specify only one lookup attribute.")
    key, value = attributes[0]["AttributeKey"], attributes[0]["AttributeValue"]
    if len(value) + sum(map(value.count, _COUNTED_TWICE)) > MAX_VALUE_CHARACTERS:
        raise _bad_attribute(
            f"The value of {key} is longer than {MAX_VALUE_CHARACTERS} characters; "
            "underscores, spaces, commas and newlines count twice."
        )
    if insights and key not in _OF_INSIGHTS:
        raise _bad_attribute(f"Insights events can be looked up by {', '.join(_OF_INSIGHTS)}, not by {key}.")
    return key, value


def _bad_attribute(message: str) -> ApiError:
    return ApiError("InvalidLookupAttributesException", message)


def _read_range(start: datetime | None, end: datetime | None, now: datetime) -> tuple[float, float]:
    """Epoch seconds. Of a range that began before history does, the part within it is answered."""
    earliest = (now - HISTORY).timestamp()
    if start is not None and end is not None and start > end:
        raise _bad_range("The start time must not be after the end time.")
    if end is not None and end.timestamp() < earliest:
        raise _bad_range("The time range ends before the 90 days that event history keeps.")
    first = earliest if start is None else max(start.timestamp(), earliest)
    return first, _LAST_MOMENT if end is None else min(end.timestamp(), _LAST_MOMENT)


def _bad_range(message: str) -> ApiError:
    return ApiError("InvalidTimeRangeException", message)


def _to_second(seconds: float, *, up: bool) -> str:
    """The whole second inside the range: events have no fractions, and both ends belong to it."""
    return to_iso(from_epoch(ceil(seconds) if up else floor(seconds)))


def _go_on(lookup: Lookup, token: str, asked_range: tuple[str, ...]) -> Lookup:
    try:
        position = read_token(token, lookup, asked_range)
    except FormatError as error:
        message = "The token is invalid, or was issued for a request with other parameters."
        raise ApiError("InvalidNextTokenException", message) from error
    return replace(lookup, after=position)


def _show(found: Found) -> dict[str, Any]:
    """An Event. What the record has no value for is left out."""
    record = found.record
    return {
        "EventId": found.event_id,
        "EventName": record.name,
        "ReadOnly": read_only(record) or None,
        "AccessKeyId": record.identity.access_key or None,
        "EventTime": _moment(found.time),
        "EventSource": record.source,
        "Username": user_name(record.identity) or None,
        "Resources": [{"ResourceType": r.type, "ResourceName": r.name} for r in record.resources],
        "CloudTrailEvent": _without_context(found.raw).decode(),
    }


def _moment(time: str) -> datetime | None:
    try:
        return from_iso(time)
    except FormatError:
        return None  # the 31st of February, say: the record shows it as it is


def _without_context(raw: bytes) -> bytes:
    if _CONTEXT.encode() not in raw:
        return raw
    members = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({name: value for name, value in members.items() if name != _CONTEXT})
