"""One series' minutes against its baseline -> incidents that start and end.

A minute is out of bounds when the sum of the last 1, 5, 15 or 60 minutes scores
beyond the baseline's bound. Everything a verdict depends on is in ``Watch``, the
counts and the baseline, so a run may stop after any minute and another go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import log
from operator import sub
from statistics import median

import msgspec

from opentrail.branches.insights.baseline import (
    BLOCKS,
    MARGIN_SLOTS,
    SCALES,
    SLOT_MINUTES,
    SLOTS,
    Baseline,
    Day,
    Sensitivity,
    block_of,
)
from opentrail.branches.insights.score import Scale, stabilise
from opentrail.branches.insights.series import DAY_MINUTES, Counts

LOOK_BACK = max(SCALES)
_MARGIN = MARGIN_SLOTS * SLOT_MINUTES
_BLOCK_MINUTES = DAY_MINUTES // BLOCKS
_CALM = 0.6  # of a bound: an incident is over well inside, not on the edge
_UNDROPPABLE = 4.0  # calls an hour: with so few expected, no silence is an incident
_UNREMARKABLE = 9  # calls an hour: even where none were expected they score less than 5
_AGREE = 2.0  # times: where the days before disagree more, nothing is learned of how much calls spread
_CLIPPED = 16.0  # squared standard deviations one window may add to the dispersion
# The median of a sum of n squares is less than its mean; n is a block's windows of that scale
# (Wilson and Hilferty 1931).
_SKEW = [(1 - 2 / (9 * _BLOCK_MINUTES / width)) ** -3 for width in SCALES]
_NOTHING = ((0.0,) * len(SCALES),) * BLOCKS

Gaps = Sequence[tuple[int, int]]  # spans of minutes [from, to) without data


class Open(msgspec.Struct, array_like=True):
    """An incident that runs. ``sign`` is 1 above the bounds and -1 below."""

    start: int
    sign: int
    scale: int  # the shortest one that showed it
    calls: int  # from its start to the last judged minute
    expected: float
    quiet: int = 0  # minutes within bounds in a row


class Watch(msgspec.Struct, array_like=True):
    """Where the watching of one series stands. Minutes since 1970."""

    judged: int  # the next minute to judge
    since: int  # windows reach back no further
    out: int = 0  # minutes out of bounds in a row; negative below the lower bounds
    incident: Open | None = None

    @property
    def is_idle(self) -> bool:
        """True when nothing but ``judged`` would be lost by forgetting it."""
        return not self.out and self.incident is None and self.judged - self.since >= LOOK_BACK


class Started(msgspec.Struct, frozen=True):
    """An incident began at ``minute``; it was certain at the end of minute ``seen``."""

    minute: int
    seen: int
    sign: int
    calls: int  # in its first minute


class Ended(msgspec.Struct, frozen=True):
    """The incident that began at ``start`` was over at ``minute``, its first normal one."""

    start: int
    minute: int
    seen: int
    calls: int  # in the whole incident


Transition = Started | Ended


class Window:
    """The scores of a stretch of minutes within one day, with the hour before it.

    Counts of minutes without data are taken as expected, so they neither raise nor calm anything.
    """

    def __init__(self, baseline: Baseline, counts: Counts, gaps: Gaps, first: int, end: int) -> None:
        self.first, self.end = first, end
        self.base = first - LOOK_BACK
        high, low = baseline.rates()
        offset = self.base - (baseline.day * DAY_MINUTES - _MARGIN)
        self._high = high[offset : offset + end - self.base]
        self._low = low[offset : offset + end - self.base]
        self.missing = {m for start, stop in gaps for m in range(max(start, self.base), min(stop, end))}
        self.calls: list[float] = [counts.get(minute, 0) for minute in range(self.base, end)]
        for minute in self.missing:
            at = minute - self.base
            self.calls[at] = (self._high[at] + self._low[at]) / 2
        self._sums = [list(accumulate(v, initial=0)) for v in (self.calls, self._high, self._low)]
        self.dispersion = baseline.dispersion
        self.above, self.below = self._scores()

    def _scores(self) -> tuple[list[list[float]], list[list[float]]]:
        """By scale, each minute's score against the upper and against the lower expectation."""
        calls, high, low = self._sums
        above, below = [], []
        for width, dispersion in zip(SCALES, self.dispersion, strict=True):
            seen = list(map(Scale(dispersion), _moving(calls, width)))
            above.append(list(map(sub, seen, _expectation(high, width, dispersion))))
            below.append(list(map(sub, seen, _expectation(low, width, dispersion))))
        return above, below

    def sums(self, start: int, end: int, sign: int) -> tuple[float, float]:
        """Calls, and calls expected, in ``[start, end)``."""
        a, b = max(start - self.base, 0), end - self.base
        expected = self._sums[1 if sign > 0 else 2]
        return self._sums[0][b] - self._sums[0][a], expected[b] - expected[a]

    def surprise(self, calls: float, expected: float, sign: int) -> float:
        """How far so many calls are from those expected, in the direction of ``sign``."""
        spread = self.dispersion[1]
        return sign * (stabilise(max(calls, 0), spread) - stabilise(max(expected, 0), spread))

    def squares(self, scale: int) -> Iterator[tuple[float, float]]:
        """(calls, expected) of windows of a scale that do not overlap, where it is known what to expect."""
        calls, highs, lows = self._sums
        width = SCALES[scale]
        for i in range(LOOK_BACK + width, len(calls), width):
            high, low = highs[i] - highs[i - width], lows[i] - lows[i - width]
            if high <= _AGREE * low:
                yield calls[i] - calls[i - width], (high + low) / 2


def _moving(sums: Sequence[float], width: int) -> Iterable[float]:
    """The sum of the ``width`` minutes up to each minute after the first hour."""
    return map(sub, sums[LOOK_BACK + 1 :], sums[LOOK_BACK + 1 - width :])


_HOLD = 5  # minutes an expectation is used for: rates change by the quarter of an hour


def _expectation(sums: Sequence[float], width: int, dispersion: float) -> list[float]:
    stretch = len(sums) - LOOK_BACK - 1
    hold = _HOLD if width < SLOT_MINUTES else SLOT_MINUTES
    middles = [LOOK_BACK + 1 + min(at + hold // 2, stretch - 1) for at in range(0, stretch, hold)]
    scores = [stabilise(sums[middle] - sums[middle - width], dispersion) for middle in middles]
    return [score for score in scores for _ in range(hold)][:stretch]


def judge(
    baseline: Baseline,
    window: Window,
    watch: Watch,
    sensitivity: Sensitivity,
) -> list[Transition]:
    """Judge every minute of ``window`` from ``watch.judged`` on, and move ``watch`` past them.

    The window's minutes are final: whatever is counted for them later changes no verdict.
    """
    found: list[Transition] = []
    minute = max(watch.judged, window.first)
    while minute < window.end:
        block_end = min(window.end, (minute // _BLOCK_MINUTES + 1) * _BLOCK_MINUTES)
        if watch.incident is None and not watch.out and _is_within(baseline, window, minute, block_end):
            watch.judged = minute = block_end
            continue
        found += _judge_minutes(baseline, window, watch, minute, block_end, sensitivity)
        minute = block_end
    return found


def _is_within(baseline: Baseline, window: Window, start: int, end: int) -> bool:
    """True when no score between two minutes of one block is out of bounds, as nearly always."""
    block = block_of(start)
    stretch = slice(start - window.first, end - window.first)
    return all(
        max(above[stretch]) <= upper and min(below[stretch]) >= lower
        for above, below, upper, lower in zip(
            window.above, window.below, baseline.upper[block], baseline.lower[block], strict=True
        )
    )


def _judge_minutes(
    baseline: Baseline, window: Window, watch: Watch, start: int, end: int, sensitivity: Sensitivity
) -> list[Transition]:
    found: list[Transition] = []
    for minute in range(start, end):
        watch.judged = minute + 1
        if minute in window.missing:
            continue
        if watch.incident is None:
            found += _look_for_start(baseline, window, watch, minute, sensitivity)
        else:
            found += _look_for_end(baseline, window, watch, watch.incident, minute, sensitivity)
    return found


def _look_for_start(
    baseline: Baseline, window: Window, watch: Watch, minute: int, sensitivity: Sensitivity
) -> Iterable[Transition]:
    sign, scale = _verdict(baseline, window, minute, watch.since)
    watch.out = 0 if not sign else sign * (abs(watch.out) + 1 if watch.out * sign > 0 else 1)
    if abs(watch.out) < sensitivity.confirm_minutes:
        return []
    start = _best_start(window, max(watch.since, minute + 1 - SCALES[scale]), minute, sign, watch.out)
    calls, expected = window.sums(start, minute + 1, sign)
    watch.incident = Open(start=start, sign=sign, scale=scale, calls=int(calls), expected=expected)
    watch.out = 0
    return [Started(minute=start, seen=minute, sign=sign, calls=int(window.calls[start - window.base]))]


def _verdict(baseline: Baseline, window: Window, minute: int, since: int) -> tuple[int, int]:
    """The direction a minute is out in (0 = within bounds) and the shortest scale that shows it."""
    block = block_of(minute)
    at = minute - window.first
    for scale, (upper, lower) in enumerate(zip(baseline.upper[block], baseline.lower[block], strict=True)):
        if minute + 1 - SCALES[scale] < since:
            break
        if window.above[scale][at] > upper:
            return 1, scale
        if window.below[scale][at] < lower:
            return -1, scale
    return 0, 0


def _best_start(window: Window, earliest: int, minute: int, sign: int, out: int) -> int:
    """The first minute of the most surprising stretch that ends now."""
    earliest = max(min(earliest, minute + 1 - abs(out)), window.base)
    return max(
        range(earliest, minute + 1),
        key=lambda start: (window.surprise(*window.sums(start, minute + 1, sign), sign), start),
    )


def _look_for_end(
    baseline: Baseline, window: Window, watch: Watch, incident: Open, minute: int, sensitivity: Sensitivity
) -> Iterable[Transition]:
    calls, expected = window.sums(minute, minute + 1, incident.sign)
    incident.calls += int(calls)
    incident.expected += expected
    incident.quiet = incident.quiet + 1 if _is_calm(baseline, window, minute, incident) else 0
    if incident.quiet < sensitivity.quiet_minutes:
        return []
    end, calls_then = _best_end(window, incident, minute, sensitivity.quiet_minutes)
    watch.incident, watch.since = None, max(end, minute + 1 - sensitivity.quiet_minutes)
    return [Ended(start=incident.start, minute=end, seen=minute, calls=calls_then)]


def _is_calm(baseline: Baseline, window: Window, minute: int, incident: Open) -> bool:
    block = block_of(minute)
    at = minute - window.first
    scores, bounds = (window.above, baseline.upper) if incident.sign > 0 else (window.below, baseline.lower)
    return all(
        incident.sign * scores[scale][at] < _CALM * abs(bounds[block][scale])
        for scale in range(max(1, incident.scale) + 1)
    )


def _best_end(window: Window, incident: Open, minute: int, quiet_minutes: int) -> tuple[int, int]:
    """Where the incident most likely ended, within the last hour, and its calls until then.

    That is where the likelihood of "as unusual as until now" against "as expected" is greatest; what
    was quiet at the end says nothing about how unusual it had been.
    """
    calm, expected_calm = window.sums(
        max(minute + 1 - quiet_minutes, incident.start + 1), minute + 1, incident.sign
    )
    ratio = _ratio(incident.calls - calm, incident.expected - expected_calm, incident.sign)
    best = (float("-inf"), minute + 1, incident.calls)
    for end in range(minute + 1, max(incident.start, minute + 1 - LOOK_BACK, window.base), -1):
        calls, expected = window.sums(end, minute + 1, incident.sign)
        likelihood = expected * (ratio - 1) - calls * log(ratio)
        best = max(
            best, (likelihood, end, incident.calls - int(calls)), key=lambda found: (found[0], -found[1])
        )
    return best[1], best[2]


def _ratio(calls: float, expected: float, sign: int) -> float:
    """How many times the expected calls there were, at least a quarter more or less."""
    ratio = (max(calls, 0) + 0.5) / (max(expected, 0) + 0.5)
    return max(ratio, 1.25) if sign > 0 else min(ratio, 0.8)


def is_dull(past: Sequence[Day], counts: Counts, watch: Watch) -> bool:
    """True when no minute of ``counts`` can be out of bounds: few calls in any hour, now and in the past.

    Most APIs are like that, and a baseline costs milliseconds.
    """
    if watch.out or watch.incident is not None:
        return False
    return not is_busy(counts) and max([day.busiest_hour for day in past], default=0.0) < _UNDROPPABLE


def is_busy(counts: Counts) -> bool:
    """True when some hour has so many calls that its score may pass the least bound there is."""
    if sum(counts.values()) <= _UNREMARKABLE:
        return False
    hours: dict[int, int] = {}
    for minute, count in counts.items():
        hours[minute // LOOK_BACK] = hours.get(minute // LOOK_BACK, 0) + count
    return any(count + hours.get(hour - 1, 0) > _UNREMARKABLE for hour, count in hours.items())


def learn_day(number: int, counts: Counts, gaps: Gaps, observed: int, window: Window | None) -> Day:
    """What to remember of a day.

    Args:
        number: days since 1970.
        counts: at least those of that day.
        gaps: minutes without data.
        observed: the minute from which on there are counts at all.
        window: the whole day against its own baseline; None before there is one.
    """
    slots = _slots(number, counts, gaps, observed)
    if window is None:
        return Day(number, slots) if is_busy(counts) else Day(number, slots, _NOTHING, _NOTHING)
    return Day(
        number,
        slots,
        highest=_extremes(window.above, max),
        lowest=_extremes(window.below, min),
        dispersion=tuple(_spread(window, scale) for scale in range(len(SCALES))),
    )


def _slots(number: int, counts: Counts, gaps: Gaps, observed: int) -> tuple[float | None, ...]:
    first = number * DAY_MINUTES
    sums: list[float | None] = [0.0] * SLOTS
    for minute, count in counts.items():
        if 0 <= minute - first < DAY_MINUTES:
            slot = (minute - first) // SLOT_MINUTES
            sums[slot] = (sums[slot] or 0.0) + count
    for start, end in [(first, observed), *gaps]:
        for slot in range(
            max(start - first, 0) // SLOT_MINUTES, min(-(-(end - first) // SLOT_MINUTES), SLOTS)
        ):
            sums[slot] = None
    return tuple(sums)


def _extremes(scores: Sequence[Sequence[float]], pick: object) -> tuple[tuple[float, ...], ...]:
    choose = max if pick is max else min
    return tuple(
        tuple(
            choose(of_scale[b * _BLOCK_MINUTES : (b + 1) * _BLOCK_MINUTES], default=0.0)
            for of_scale in scores
        )
        for b in range(BLOCKS)
    )


def _spread(window: Window, scale: int) -> float | None:
    """The dispersion of a scale's windows: the median of its blocks, so that an incident is no spread."""
    excess, squares = [0.0] * BLOCKS, [0.0] * BLOCKS
    skew = _SKEW[scale]
    for number, (calls, expected) in enumerate(window.squares(scale)):
        if expected >= 1:
            block = min(number * SCALES[scale] // _BLOCK_MINUTES, BLOCKS - 1)
            variance = expected + window.dispersion[scale] * expected**2
            excess[block] += skew * min((calls - expected) ** 2, _CLIPPED * variance) - expected
            squares[block] += expected**2
    known = [max(e / s, 0.0) for e, s in zip(excess, squares, strict=True) if s]
    return median(known) if known else None
