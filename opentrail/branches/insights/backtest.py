"""Counts of the past -> the Insight events there would have been."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from opentrail.branches.insights.baseline import Sensitivity
from opentrail.branches.insights.callers import Callers
from opentrail.branches.insights.detector import Gaps, Transition
from opentrail.branches.insights.replay import DEFAULT, replay
from opentrail.branches.insights.report import report, spans_of
from opentrail.branches.insights.series import Counts, Scope, Series, find_gaps
from opentrail.format.insight import InsightEvent


def backtest(
    counted: Mapping[Series, Counts],
    sensitivity: Sensitivity = DEFAULT,
    *,
    callers: Mapping[Scope, Iterable[bytes]] | None = None,
) -> list[InsightEvent]:
    """Every Insight event in ``counted``, oldest first, found as a live run would have found them.

    A scope counts as watched from its first minute to its last: an API that first appears
    later had been silent until then.

    Args:
        counted: calls by series and minute.
        sensitivity: how much is an incident.
        callers: who called, as segments have it, where that is known.
    """
    found = [
        event
        for scope, of_scope in by_scope(counted).items()
        for event in _of_scope(of_scope, sensitivity, (callers or {}).get(scope, ()))
    ]
    return sorted(found, key=lambda event: (event.time, event.shared_id, event.event_id))


def by_scope(counted: Mapping[Series, Counts]) -> dict[Scope, dict[Series, Counts]]:
    """What is watched together, without series that were never called."""
    scopes: dict[Scope, dict[Series, Counts]] = {}
    for series, counts in counted.items():
        if counts:
            scopes.setdefault(series.scope, {})[series] = counts
    return scopes


def span_of(counted: Mapping[Series, Counts]) -> tuple[int, int, Gaps]:
    """The minutes ``[first, end)`` in which a scope counts as watched, and those without data."""
    first = min(min(counts) for counts in counted.values())
    end = max(max(counts) for counts in counted.values()) + 1
    return first, end, find_gaps(counted.values(), first, end)


def _of_scope(
    counted: Mapping[Series, Counts], sensitivity: Sensitivity, segments: Iterable[bytes]
) -> list[InsightEvent]:
    first, end, gaps = span_of(counted)
    changes: list[tuple[Series, Transition]] = [
        (series, change)
        for series, counts in counted.items()
        for change in replay(counts, first, end, gaps=gaps, sensitivity=sensitivity)
    ]
    callers = Callers((series, spans_of(change, first)) for series, change in changes)
    for segment in segments:
        callers.add(segment)
    return [
        report(
            series,
            change,
            counted[series],
            errors=errors_of(series, counted),
            observed=first,
            attributions=callers.attributions(series, spans_of(change, first)),
        )
        for series, change in changes
    ]


def errors_of(series: Series, counted: Mapping[Series, Counts]) -> dict[str, Counts]:
    """The error counts of a series' API, by error code."""
    return {
        other.error_code: counts
        for other, counts in counted.items()
        if other.error_code and other[:3] == series[:3]
    }
