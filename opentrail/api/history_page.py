"""What the operations over event history share: ranges of time, tokens, and how an event is shown."""

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

HISTORY = timedelta(days=90)  # user guide, "Working with CloudTrail event history"
MAX_PAGE = 50
_LAST_MOMENT = 253402300799.0  # the end of the year 9999
# eventContext is for event data stores only; LookupEvents never shows it (user guide, "Enriched events").
_CONTEXT = "eventContext"

Members = Mapping[str, Any]


def answer_page(
    scene: Scene, given: Members, lookup: Lookup, bound: tuple[str, ...], *, refuse_token: str
) -> Members:
    """One page of ``lookup`` as ``Events`` and ``NextToken``.

    Args:
        scene: who asks, and where.
        given: the request, for its NextToken.
        lookup: what is asked for.
        bound: what else of the request a token is good for.
        refuse_token: the operation's error for a token that is none of its own.
    """
    if "NextToken" in given:
        try:
            lookup = replace(lookup, after=read_token(given["NextToken"], lookup, bound))
        except FormatError as error:
            message = "The token is invalid, or was issued for a request with other parameters."
            raise ApiError(refuse_token, message) from error
    page = find_events(lookup, index=scene.ports.segments, files=scene.ports.segment_files)
    shown: dict[str, Any] = {"Events": [_show(found) for found in page.events]}
    if page.last is not None:
        shown["NextToken"] = write_token(page.last, lookup, bound)
    return shown


def read_range(given: Members, now: datetime, *, refuse_range: str) -> tuple[str, str]:
    """StartTime and EndTime as eventTimes. What lies before history began is left out of a range."""
    start, end = given.get("StartTime"), given.get("EndTime")
    earliest = (now - HISTORY).timestamp()
    if start is not None and end is not None and start > end:
        raise ApiError(refuse_range, "The start time must not be after the end time.")
    if end is not None and end.timestamp() < earliest:
        raise ApiError(refuse_range, "The time range ends before the 90 days that event history keeps.")
    first = earliest if start is None else max(start.timestamp(), earliest)
    last = _LAST_MOMENT if end is None else min(end.timestamp(), _LAST_MOMENT)
    return _to_second(first, up=True), _to_second(last, up=False)


def given_times(given: Members) -> tuple[str, ...]:
    """StartTime and EndTime as they were given, "" where they were not."""
    return tuple(str(given[name].timestamp()) if name in given else "" for name in ("StartTime", "EndTime"))


def _to_second(seconds: float, *, up: bool) -> str:
    """The whole second inside the range: events have no fractions, and both ends belong to it."""
    return to_iso(from_epoch(ceil(seconds) if up else floor(seconds)))


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
