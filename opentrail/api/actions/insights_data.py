"""ListInsightsData: the Insights events a trail got in one account and Region.

Source: API reference, ListInsightsData. It names data events only. UNCONFIRMED whether a trail's
Insights of management events are among them: here they are, so that the answer is what lies in the
trail's CloudTrail-Insight folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opentrail.api.errors import ApiError
from opentrail.api.history_page import MAX_PAGE, answer_page, given_times, read_range
from opentrail.api.scene import Scene
from opentrail.api.visibility import find_readable, refuse_member
from opentrail.branches.history import Lookup
from opentrail.branches.history.attributes import Indexed
from opentrail.model.event import Place
from opentrail.model.trail import Trail

Members = Mapping[str, Any]
_INVALID = "InvalidParameterException"


def list_insights_data(scene: Scene, given: Members) -> Members:
    """ListInsightsData. Newest first; of an organization's trail only the asking account's own."""
    trail = _find_trail(scene, given["InsightSource"])
    refuse_member(scene, trail)
    ((attribute, value),) = given.get("Dimensions", {"": ""}).items()
    start, end = read_range(given, scene.now, refuse_range=_INVALID)
    lookup = Lookup(
        place=Place(scene.account, scene.region),
        start=start,
        end=end,
        attribute=attribute,
        value=value,
        insights=True,
        wanted=_taken_by(trail),
        limit=given.get("MaxResults", MAX_PAGE),
    )
    return answer_page(scene, given, lookup, (trail.arn, *given_times(given)), refuse_token=_INVALID)


def _find_trail(scene: Scene, arn: str) -> Trail:
    """The trail, or the one error this operation has for whatever is wrong with its ARN."""
    if not arn.startswith("arn:"):
        raise ApiError(_INVALID, "InsightSource must be the ARN of a trail.")
    try:
        return find_readable(scene, arn)
    except ApiError as error:
        raise ApiError(_INVALID, error.message) from error


def _taken_by(trail: Trail) -> Callable[[Indexed], bool]:
    of_management = {
        selector["InsightType"]
        for selector in trail.insight_selectors or ()
        if "Management" in selector.get("EventCategories", ["Management"])
    }

    def is_taken(record: Indexed) -> bool:
        insight = record.insight
        if insight is None:
            return False
        return insight.trail == trail.arn if insight.trail else insight.type in of_management

    return is_taken
