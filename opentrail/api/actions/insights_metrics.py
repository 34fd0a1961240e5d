"""ListInsightsMetricData: the counts Insights is computed from, by minute, five minutes or hour.

Source: API reference, ListInsightsMetricData. UNCONFIRMED: a value is the number of calls (or errors)
within its period, so that values add up to the same whatever the period; points come oldest first.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from math import ceil
from typing import Any, NamedTuple

import msgspec

from opentrail.api.errors import ApiError
from opentrail.api.scene import Scene
from opentrail.api.visibility import find_readable, refuse_member
from opentrail.branches.insights.series import ERROR_RATE, Series
from opentrail.format.times import from_epoch
from opentrail.model.event import Place

DAY_SECONDS = 86_400
DEFAULT_PERIOD = 3600
RETENTION_DAYS = {60: 15, 300: 63, 3600: 90}  # API reference: by period; each cutoff is inclusive
MAX_POINTS = 21_600
_CHECK_BYTES = 12

Members = Mapping[str, Any]


class _Points(NamedTuple):
    """Which points are asked for: those that begin from ``start`` until before ``end`` (epoch seconds)."""

    start: int
    end: int


def list_insights_metric_data(scene: Scene, given: Members) -> Members:
    """ListInsightsMetricData. With TrailName of that trail's data events, else of management events."""
    period = _read_period(given)
    series = _read_series(scene, given)
    points = _read_points(scene, given, period)
    if "NextToken" in given:
        points = _read_token(scene, given)
    values = _sum(scene, series, points, period)
    if given.get("DataType", "NonZeroData") == "FillWithZeros":
        values = {at: values.get(at, 0) for at in range(points.start, points.end, period)}
    limit = given.get("MaxResults", MAX_POINTS)
    shown, rest = list(values.items())[:limit], list(values)[limit:]
    return {
        "TrailARN": series.trail or None,
        "EventSource": series.source,
        "EventName": series.name,
        "InsightType": given["InsightType"],
        "ErrorCode": series.error_code or None,
        "Timestamps": [from_epoch(at) for at, _ in shown],
        "Values": [float(count) for _, count in shown],
        "NextToken": _write_token(scene, given, _Points(rest[0], points.end)) if rest else None,
    }


def _read_period(given: Members) -> int:
    period: int = given.get("Period", DEFAULT_PERIOD)
    if period not in RETENTION_DAYS:
        raise _invalid("Period must be 60, 300 or 3600.")
    return period


def _read_series(scene: Scene, given: Members) -> Series:
    of_errors = given["InsightType"] == ERROR_RATE
    if of_errors is not bool(given.get("ErrorCode")):
        raise _invalid(f"ErrorCode goes with {ERROR_RATE}, and with no other InsightType.")
    place = Place(scene.account, scene.region)
    return Series(
        place, given["EventSource"], given["EventName"], given.get("ErrorCode", ""), _trail(scene, given)
    )


def _trail(scene: Scene, given: Members) -> str:
    """The ARN of the trail that is named; "" without one."""
    if "TrailName" not in given:
        return ""
    try:
        trail = find_readable(scene, given["TrailName"])
    except ApiError as error:  # the only error this operation has for a trail
        raise ApiError("InvalidTrailNameException", error.message) from error
    refuse_member(scene, trail)
    return trail.arn


def _read_points(scene: Scene, given: Members, period: int) -> _Points:
    now = scene.now.timestamp()
    start, end = (given[name].timestamp() if name in given else None for name in ("StartTime", "EndTime"))
    if start is not None and start > (now if end is None else end):
        raise _invalid("The start time must not be after the end time.")
    kept = now - RETENTION_DAYS[period] * DAY_SECONDS
    first = kept if start is None else max(start, kept)
    last = now if end is None else min(end, now)
    return _Points(ceil(first / period) * period, ceil(last / period) * period)


def _sum(scene: Scene, series: Series, points: _Points, period: int) -> dict[int, int]:
    """Calls by the beginning of each period that had any."""
    counts = scene.ports.call_counts.counts_of(series, first=points.start // 60, end=ceil((points.end) / 60))
    values: dict[int, int] = {}
    for minute in sorted(counts):
        at = minute * 60 // period * period
        if points.start <= at < points.end and counts[minute]:
            values[at] = values.get(at, 0) + counts[minute]
    return values


def _write_token(scene: Scene, given: Members, points: _Points) -> str:
    """The points that are left. Good for the same request only; it is no secret and grants nothing."""
    body = msgspec.json.encode(points)
    return urlsafe_b64encode(_check(scene, given, body) + body).decode()


def _read_token(scene: Scene, given: Members) -> _Points:
    try:
        data = urlsafe_b64decode(given["NextToken"].encode())
        check, body = data[:_CHECK_BYTES], data[_CHECK_BYTES:]
        if check == _check(scene, given, body):
            return msgspec.json.decode(body, type=_Points)
    except (Base64Error, msgspec.DecodeError, ValueError):
        pass  # refused like any other that is not ours
    raise _invalid("The token is invalid, or was issued for a request with other parameters.")


def _check(scene: Scene, given: Members, body: bytes) -> bytes:
    asked = sorted(
        (name, str(value)) for name, value in given.items() if name not in ("NextToken", "MaxResults")
    )
    bound = msgspec.json.encode((scene.account, scene.region, asked, body))
    return hashlib.sha256(bound).digest()[:_CHECK_BYTES]


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)
