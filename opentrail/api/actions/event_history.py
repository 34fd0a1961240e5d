"""LookupEvents: the last 90 days of management events, or of Insights, in one account and Region.

Source: API reference, LookupEvents; the texts of its errors are not published.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentrail.api.errors import ApiError
from opentrail.api.history_page import MAX_PAGE, answer_page, given_times, read_range
from opentrail.api.scene import Scene
from opentrail.branches.history import Lookup
from opentrail.branches.history.attributes import Indexed
from opentrail.model.event import Place

MAX_VALUE_CHARACTERS = 2000
_COUNTED_TWICE = "_ ,\n"  # API reference, LookupAttribute
_OF_INSIGHTS = ("EventId", "EventName", "EventSource")

Members = Mapping[str, Any]


def lookup_events(scene: Scene, given: Members) -> Members:
    """LookupEvents. At most one attribute; newest first; a token is good for the same request only."""
    _refuse_haste(scene)
    insights = "EventCategory" in given
    attribute, value = _read_attribute(given.get("LookupAttributes") or [], insights)
    start, end = read_range(given, scene.now, refuse_range="InvalidTimeRangeException")
    lookup = Lookup(
        place=Place(scene.account, scene.region),
        start=start,
        end=end,
        attribute=attribute,
        value=value,
        insights=insights,
        wanted=_is_of_management if insights else None,
        limit=given.get("MaxResults", MAX_PAGE),
    )
    return answer_page(scene, given, lookup, given_times(given), refuse_token="InvalidNextTokenException")


def _is_of_management(record: Indexed) -> bool:
    """Insights of data events are for ListInsightsData (user guide, "Viewing Insights events")."""
    return record.insight is None or not record.insight.trail


def _refuse_haste(scene: Scene) -> None:
    rate = scene.ports.lookup_rate
    if rate is not None and not rate.take(scene.account, scene.region, scene.now):
        raise ApiError("ThrottlingException", "Rate exceeded")


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
