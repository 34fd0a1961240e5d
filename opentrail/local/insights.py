"""Insights on the laptop: judged when somebody flushes, not only by the minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentrail.adapters.aws.trails import DynamoTrails

if TYPE_CHECKING:
    from opentrail.local.runtime import Runtime


def look_for_insights(runtime: Runtime) -> int:
    """Judge every minute that is over, if a trail wants it; answer how many Insight events there are.

    Raises:
        StorageError: the insights function failed or is missing.
    """
    table = runtime.outputs.get("TrailsTableName")
    if not table:
        return 0
    trails = DynamoTrails(runtime.clients("dynamodb"), table).all_trails()
    if not any(trail.insight_selectors for trail in trails):
        return 0
    answer = runtime.call_function(runtime.outputs.get("InsightsFunctionName", ""), {"settled": True})
    return int(answer.get("insights", 0))
