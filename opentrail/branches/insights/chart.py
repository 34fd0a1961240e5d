"""One incident of the past, and what was normal around it, as numbers to draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from opentrail.branches.insights.backtest import by_scope, span_of
from opentrail.branches.insights.baseline import SCALES, Baseline, Sensitivity, block_of
from opentrail.branches.insights.detector import Ended, Started, Transition, Window
from opentrail.branches.insights.replay import DEFAULT, replay
from opentrail.branches.insights.report import event_id_of, shared_id_of
from opentrail.branches.insights.score import restore, stabilise
from opentrail.branches.insights.series import Counts, Series

LEAST_MARGIN = 240  # minutes shown before an incident, and half of it after

_Days = Sequence[tuple[Baseline, Window]]


class Point(NamedTuple):
    """The window that ends with ``minute``, per minute: its calls, those expected, and the bounds."""

    minute: int
    calls: float
    low: float
    high: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """An incident as its detector saw it, in windows of ``width`` minutes, the shortest that showed it."""

    series: Series
    shared_id: str
    start: int
    end: int | None  # its first normal minute; None where the counts end before
    width: int
    first: int
    calls: Sequence[int]  # by minute, from ``first`` on
    points: Sequence[Point]  # none of days with too few calls to be judged minute by minute


def find_chart(
    counted: Mapping[Series, Counts], insight_id: str, sensitivity: Sensitivity = DEFAULT
) -> Chart | None:
    """The incident a back-test of ``counted`` gives this ``eventID`` or ``sharedEventID``, if any."""
    for of_scope in by_scope(counted).values():
        first, end, gaps = span_of(of_scope)
        for series, counts in of_scope.items():
            days: list[tuple[Baseline, Window]] = []
            found = replay(counts, first, end, gaps=gaps, sensitivity=sensitivity, watched=days.append)
            changes = list(found)
            for change in changes:
                if insight_id in _ids_of(series, change):
                    started, ended = _incident(changes, change)
                    return _draw(series, counts, started, ended, days, (first, end))
    return None


def _ids_of(series: Series, change: Transition) -> tuple[str, str]:
    shared = shared_id_of(series, change.minute if isinstance(change, Started) else change.start)
    return shared, event_id_of(shared, change)


def _incident(changes: Sequence[Transition], change: Transition) -> tuple[Started, Ended | None]:
    """The Start and the End that ``change`` is one of."""
    start = change.minute if isinstance(change, Started) else change.start
    started = next(c for c in changes if isinstance(c, Started) and c.minute == start)
    return started, next((c for c in changes if isinstance(c, Ended) and c.start == start), None)


def _draw(
    series: Series,
    counts: Counts,
    started: Started,
    ended: Ended | None,
    days: _Days,
    span: tuple[int, int],
) -> Chart:
    over = ended.minute if ended else span[1]
    margin = max(LEAST_MARGIN, over - started.minute)
    first, stop = max(span[0], started.minute - margin), min(span[1], over + margin // 2)
    scale = _scale_of(started, days)
    return Chart(
        series=series,
        shared_id=shared_id_of(series, started.minute),
        start=started.minute,
        end=ended.minute if ended else None,
        width=SCALES[scale],
        first=first,
        calls=[counts.get(minute, 0) for minute in range(first, stop)],
        points=_points(days, scale, first, stop),
    )


def _scale_of(started: Started, days: _Days) -> int:
    """The shortest scale at which the incident was out of bounds when it became certain."""
    minute, sign = started.seen, started.sign
    baseline, window = next(day for day in days if day[1].first <= minute < day[1].end)
    at, block = minute - window.first, block_of(minute)
    scores, bounds = (window.above, baseline.upper) if sign > 0 else (window.below, baseline.lower)
    return next(
        scale for scale in range(len(SCALES)) if sign * scores[scale][at] > sign * bounds[block][scale]
    )


def _points(days: _Days, scale: int, first: int, stop: int) -> list[Point]:
    return [
        _point(baseline, window, scale, minute)
        for baseline, window in days
        for minute in range(max(window.first, first), min(window.end, stop))
    ]


def _point(baseline: Baseline, window: Window, scale: int, minute: int) -> Point:
    """The bounds as counts: those whose score is the bound's, which is what a count is judged by."""
    width, at, block = SCALES[scale], minute - window.first, block_of(minute)
    calls, high = window.sums(minute + 1 - width, minute + 1, 1)
    _, low = window.sums(minute + 1 - width, minute + 1, -1)
    spread = window.dispersion[scale]
    score = stabilise(calls, spread)
    lower = restore(score - window.below[scale][at] + baseline.lower[block][scale], spread)
    upper = restore(score - window.above[scale][at] + baseline.upper[block][scale], spread)
    return Point(minute, *(value / width for value in (calls, low, high, lower, upper)))
