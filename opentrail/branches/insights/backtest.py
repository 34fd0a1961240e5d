"""Counts of the past -> the Insight events there would have been."""

from __future__ import annotations

from collections.abc import Mapping

from opentrail.branches.insights.baseline import Sensitivity
from opentrail.branches.insights.replay import DEFAULT, replay
from opentrail.branches.insights.report import report
from opentrail.branches.insights.series import Counts, Series, find_gaps
from opentrail.format.insight import InsightEvent
from opentrail.model.event import Place


def backtest(counted: Mapping[Series, Counts], sensitivity: Sensitivity = DEFAULT) -> list[InsightEvent]:
    """Every Insight event in ``counted``, oldest first, found as a live run would have found them.

    A place counts as watched from its first minute to its last: an API that first appears
    later had been silent until then.
    """
    places: dict[Place, dict[Series, Counts]] = {}
    for series, counts in counted.items():
        if counts:
            places.setdefault(series.place, {})[series] = counts
    found = [event for of_place in places.values() for event in _of_place(of_place, sensitivity)]
    return sorted(found, key=lambda event: (event.time, event.shared_id, event.event_id))


def _of_place(counted: Mapping[Series, Counts], sensitivity: Sensitivity) -> list[InsightEvent]:
    first = min(min(counts) for counts in counted.values())
    end = max(max(counts) for counts in counted.values()) + 1
    gaps = find_gaps(counted.values(), first, end)
    return [
        report(series, change, counts, errors=errors_of(series, counted), observed=first)
        for series, counts in counted.items()
        for change in replay(counts, first, end, gaps=gaps, sensitivity=sensitivity)
    ]


def errors_of(series: Series, counted: Mapping[Series, Counts]) -> dict[str, Counts]:
    """The error counts of a series' API, by error code."""
    return {
        other.error_code: counts
        for other, counts in counted.items()
        if other.error_code and other[:3] == series[:3]
    }
