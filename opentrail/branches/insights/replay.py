"""A series' counts, day after day -> every incident in them; the way the past is learned and back-tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from opentrail.branches.insights.baseline import BASELINE_DAYS, Baseline, Day, Sensitivity, fit
from opentrail.branches.insights.detector import (
    LOOK_BACK,
    Gaps,
    Transition,
    Watch,
    Window,
    is_dull,
    judge,
    learn_day,
)
from opentrail.branches.insights.series import DAY_MINUTES, Counts, day_of

DEFAULT = Sensitivity()


def replay(
    counts: Counts,
    first: int,
    end: int,
    *,
    gaps: Gaps = (),
    sensitivity: Sensitivity = DEFAULT,
    watched: Callable[[tuple[Baseline, Window]], object] | None = None,
) -> Iterator[Transition]:
    """Yield one series' incidents between the minutes ``first`` and ``end``, as a live run would.

    Nothing is judged before ``sensitivity.least_days`` whole days of counts are there.
    ``watched`` gets every day that was judged minute by minute, before its incidents are yielded.
    """
    memory = Memory(first, gaps, sensitivity)
    watch = Watch(judged=first, since=first)
    for day in range(day_of(first), day_of(end - 1) + 1):
        counted = memory.take_out(counts, day)
        stop = min((day + 1) * DAY_MINUTES, end)
        window = None
        if not memory.is_ready(day):
            watch = Watch(judged=stop, since=stop)
        elif is_dull(memory.days, counted, watch):
            watch.judged = stop
        else:
            baseline = memory.baseline(day)
            window = Window(baseline, counted, gaps, day * DAY_MINUTES, stop)
            if watched is not None:
                watched((baseline, window))
            yield from judge(baseline, window, watch, sensitivity)
        if stop == (day + 1) * DAY_MINUTES:
            memory.add(day, counted, window)


def learn(counts: Counts, first: int, day: int, *, gaps: Gaps, sensitivity: Sensitivity) -> list[Baseline]:
    """What is normal on ``day`` and on the one after it, from all days before.

    An empty list while too few days are known.
    """
    memory = Memory(first, gaps, sensitivity)
    nothing = Watch(judged=first, since=first)
    for known in range(day_of(first), day):
        counted = memory.take_out(counts, known)
        window = None
        if memory.is_ready(known) and not is_dull(memory.days, counted, nothing):
            start = known * DAY_MINUTES
            window = Window(memory.baseline(known), counted, gaps, start, start + DAY_MINUTES)
        memory.add(known, counted, window)
    return [memory.baseline(day), memory.baseline(day + 1)] if memory.is_ready(day) else []


class Memory:
    """The days of one series, each learned against the baseline it had."""

    def __init__(self, observed: int, gaps: Gaps, sensitivity: Sensitivity) -> None:
        self._observed = observed
        self._gaps = gaps
        self._sensitivity = sensitivity
        self.days: list[Day] = []
        self._early: list[tuple[int, Counts]] = []  # raw days before the first baseline
        self._fitted: Baseline | None = None

    def take_out(self, counts: Counts, day: int) -> Counts:
        """The counts of one day and the hour before it."""
        first = day * DAY_MINUTES - LOOK_BACK
        span = range(first, (day + 1) * DAY_MINUTES)
        if len(counts) < len(span):
            return {minute: count for minute, count in counts.items() if minute in span}
        return {minute: counts[minute] for minute in span if minute in counts}

    def is_ready(self, day: int) -> bool:
        """True when enough whole days are known to judge ``day``."""
        whole = -(-self._observed // DAY_MINUTES)
        return day - whole >= self._sensitivity.least_days and bool(self.days)

    def baseline(self, day: int) -> Baseline:
        """What is normal on ``day``; there must be past days."""
        if self._early:
            self._learn_early()
        if self._fitted is None or self._fitted.day != day:
            self._fitted = fit(day, self.days, self._sensitivity)
        return self._fitted

    def add(self, day: int, counts: Counts, window: Window | None) -> None:
        """Remember ``day``, of which all counts are known, and its scores where there are any."""
        if self._fitted is None:
            self._early = [*self._early[1 - BASELINE_DAYS :], (day, counts)]
        learned = learn_day(day, counts, self._gaps, self._observed, window)
        self.days = [*self.days[1 - BASELINE_DAYS :], learned]

    def _learn_early(self) -> None:
        """Measure the first days against themselves: first how much they spread, then how far they go."""
        for _ in range(2):
            self.days = [self._learn_in_sample(day, counts) for day, counts in self._early]
        self._early = []

    def _learn_in_sample(self, day: int, counts: Counts) -> Day:
        first = day * DAY_MINUTES
        window = Window(
            fit(day, self.days, self._sensitivity), counts, self._gaps, first, first + DAY_MINUTES
        )
        return learn_day(day, counts, self._gaps, self._observed, window)
