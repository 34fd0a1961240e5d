"""Past days -> what is normal on the next one: expected rates, their spread, and how far days stray.

A day is 96 slots of a quarter of an hour. What a slot usually holds is a mean over
like days of the last 28, each clipped to what is plausible beside the others, so a
past incident weighs no more than a busy day. Like days are looked at in two ways,
all working days (or weekend days) and the same weekday, and levels in two ways, the
trend and the last days; a bound is the wider of what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median, median_low

from opentrail.branches.insights.series import DAY_MINUTES, weekday

SLOT_MINUTES = 15
SLOTS = DAY_MINUTES // SLOT_MINUTES
BLOCKS = 8  # of three hours: how far a habit may wander
SCALES = (1, 5, 15, 60)  # minutes; a burst shows in short windows, a ramp in long ones
BASELINE_DAYS = 28  # CloudTrail user guide, "Understanding CloudTrail Insights": 28 days, anew daily
MARGIN_SLOTS = 5  # of the evening before, for windows that reach back over midnight

_LEAST_DISPERSION = 0.002
_GUESSED_DISPERSION = 0.05  # before anything is known
_CLIP = 3.0  # standard deviations a past slot may be from the median of its like

Slots = Sequence[float | None]  # counts by slot; None where nothing was recorded


@dataclass(frozen=True, slots=True)
class Day:
    """What is remembered of one past day of a series.

    ``highest`` and ``lowest`` are the largest and smallest scores of each block at each scale;
    ``dispersion`` is each scale's own.
    """

    number: int  # days since 1970
    slots: Slots
    highest: tuple[tuple[float, ...], ...] = ()
    lowest: tuple[tuple[float, ...], ...] = ()
    dispersion: tuple[float | None, ...] = ()

    @property
    def busiest_hour(self) -> float:
        """The most calls in four slots that follow each other."""
        known = [value or 0.0 for value in self.slots]
        return max(map(sum, zip(known, known[1:], known[2:], known[3:], strict=False)))


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """How much is an incident. The defaults are what the benchmark measures."""

    least_days: float = 5  # whole days of counts before anything is judged
    score: float = 5.0  # standard deviations
    beyond_habit: float = 1.15  # times as far as days usually stray
    confirm_minutes: int = 3  # out of bounds in a row before an incident starts
    quiet_minutes: int = 15  # within bounds in a row before it ends


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is normal on one day, per minute: the form that is stored between runs.

    ``high`` and ``low`` are expected counts by slot, for upper and lower bounds, from ``MARGIN_SLOTS``
    before midnight to one slot after the next; ``upper`` and ``lower`` are scores by block and scale.
    """

    day: int
    high: tuple[float, ...]
    low: tuple[float, ...]
    dispersion: tuple[float, ...]
    upper: tuple[tuple[float, ...], ...]
    lower: tuple[tuple[float, ...], ...]

    @classmethod
    def silent(cls, day: int) -> Baseline:
        """What is normal for an API that was never called."""
        nothing = (0.0,) * (MARGIN_SLOTS + SLOTS + 1)
        far = Sensitivity().score
        return cls(
            day=day,
            high=nothing,
            low=nothing,
            dispersion=(_GUESSED_DISPERSION,) * len(SCALES),
            upper=((far,) * len(SCALES),) * BLOCKS,
            lower=((-far,) * len(SCALES),) * BLOCKS,
        )

    def rates(self) -> tuple[list[float], list[float]]:
        """Expected counts per minute for both bounds, from ``MARGIN_SLOTS`` before midnight on."""
        high = [max(pair) for pair in zip(_interpolate(self.high), _step(self.high), strict=True)]
        low = [min(pair) for pair in zip(_interpolate(self.low), _step(self.low), strict=True)]
        return high, low


def block_of(minute: int) -> int:
    """The block of its day that a minute is in."""
    return minute % DAY_MINUTES * BLOCKS // DAY_MINUTES


def fit(day: int, past: Sequence[Day], sensitivity: Sensitivity) -> Baseline:
    """What is normal on ``day``, from ``past`` days in order; the last 28 before it are looked at."""
    recent = [known for known in past if known.number >= day - BASELINE_DAYS]
    trends = _levels(day, recent)
    high: list[float] = []
    low: list[float] = []
    evening, morning = slice(SLOTS - MARGIN_SLOTS, SLOTS), slice(0, 1)
    for which, slots in ((day - 1, evening), (day, slice(0, SLOTS)), (day + 1, morning)):
        upper, lower = _expected(which, recent, slots)
        high += [value * max(trends) for value in upper]
        low += [value * min(trends) for value in lower]
    return Baseline(
        day=day,
        high=tuple(high),
        low=tuple(low),
        dispersion=tuple(_dispersion(recent, scale) for scale in range(len(SCALES))),
        upper=_bounds([known.highest for known in recent if known.highest], 1.0, sensitivity),
        lower=_bounds([known.lowest for known in recent if known.lowest], -1.0, sensitivity),
    )


def _is_weekend(day: int) -> bool:
    return weekday(day) >= 5


def _expected(day: int, past: Sequence[Day], slots: slice) -> tuple[list[float], list[float]]:
    """Expected counts by slot of ``day`` for the upper and the lower bound."""
    alike = [known.slots[slots] for known in past if _is_weekend(known.number) == _is_weekend(day)]
    same = [known.slots[slots] for known in past if weekday(known.number) == weekday(day)]
    if len(alike) < 2:  # the first week: nobody knows yet what a weekend looks like
        known_days = [known.slots[slots] for known in past]
        high = _means(known_days, 1)
        if not alike:
            return [2 * value for value in high], [0.0] * len(high)
        return [max(pair) for pair in zip(high, _means(alike, 1), strict=True)], [0.0] * len(high)
    ways = [alike, same] if len(same) >= 2 else [alike]
    high_ways, low_ways = [_means(days, 1) for days in ways], [_means(days, -1) for days in ways]
    return [max(values) for values in zip(*high_ways, strict=True)], [
        min(values) for values in zip(*low_ways, strict=True)
    ]


def _means(days: Sequence[Slots], sign: int) -> list[float]:
    return [_clipped_mean([v for v in values if v is not None], sign) for values in zip(*days, strict=True)]


def _clipped_mean(values: list[float], sign: int) -> float:
    """The mean of what is plausible beside the others; of two that disagree, the one ``sign`` says."""
    if not any(values):
        return 0.0
    half = len(values) // 2  # a middle one will do, and sorting is most of what a baseline costs
    middle = sorted(values)[half if sign > 0 else (len(values) - 1) // 2]
    spread = max(
        1.48 * sorted([abs(value - middle) for value in values])[(len(values) - 1) // 2], sqrt(middle + 1)
    )
    lowest, highest = middle - _CLIP * spread, middle + _CLIP * spread
    return sum([min(max(value, lowest), highest) for value in values]) / len(values)


_LEVEL_SLOTS = 8  # two hours: enough calls for a ratio
_LEVEL_LEAST_CALLS = 10.0
_TREND_DAYS = 5
_LEVEL_RANGE = (0.1, 10.0)


def _levels(day: int, past: Sequence[Day]) -> tuple[float, float]:
    """How ``day`` compares with the mean of its like: by the trend of the days, and by the last three."""
    profiles = {kind: _kind_means(kind, past) for kind in (False, True)}
    ratios = [
        (known.number, ratio)
        for known in past
        if (ratio := _ratio(known.slots, profiles[_is_weekend(known.number)])) is not None
    ]
    if len(ratios) < 3:
        return 1.0, 1.0
    last = median([ratio for _, ratio in ratios[-3:]])
    trend = _extrapolate(day, ratios) if len(ratios) >= _TREND_DAYS else last
    lowest, highest = _LEVEL_RANGE
    return min(max(trend, lowest), highest), min(max(last, lowest), highest)


def _kind_means(weekend: bool, past: Sequence[Day]) -> list[float]:
    return _means([known.slots for known in past if _is_weekend(known.number) == weekend], -1)


def _ratio(slots: Slots, profile: Sequence[float]) -> float | None:
    """The day's level: the median over its two-hour spans, so that a burst or an outage does not move it."""
    ratios = []
    for start in range(0, SLOTS, _LEVEL_SLOTS):
        held = [(v, e) for v, e in zip(slots[start:], profile[start : start + _LEVEL_SLOTS], strict=False)]
        expected = sum(e for v, e in held if v is not None)
        if expected >= _LEVEL_LEAST_CALLS:
            ratios.append(sum(v for v, _ in held if v is not None) / expected)
    return median(ratios) if ratios else None


def _extrapolate(day: int, points: Sequence[tuple[int, float]]) -> float:
    """The value on ``day`` of the line with the median slope (Theil and Sen).

    Levels compare with the mean of their like, so only those of like days lie on one line.
    """
    kinds = [[p for p in points if _is_weekend(p[0]) == weekend] for weekend in (False, True)]
    slopes = [
        (b[1] - a[1]) / (b[0] - a[0]) for kind in kinds for i, a in enumerate(kind) for b in kind[i + 1 :]
    ]
    alike = kinds[_is_weekend(day)]
    if not slopes or not alike:
        return 1.0
    slope = median(slopes)
    return median([value - slope * (number - day) for number, value in alike])


def _dispersion(past: Sequence[Day], scale: int) -> float:
    known = [d for day in past if day.dispersion and (d := day.dispersion[scale]) is not None]
    if not known:
        return _GUESSED_DISPERSION
    return max(median_low(known), _LEAST_DISPERSION)  # of two days, the one without an incident


def _bounds(
    extremes: Sequence[tuple[tuple[float, ...], ...]], sign: float, sensitivity: Sensitivity
) -> tuple[tuple[float, ...], ...]:
    """Scores that are out of bounds: beyond the fixed one, and beyond what days reach by habit.

    A habit is what several days reached within three hours of the block, or more days at any hour.
    """
    return tuple(
        tuple(
            sign * max(sensitivity.score, sensitivity.beyond_habit * _habit(extremes, sign, block, scale))
            for scale in range(len(SCALES))
        )
        for block in range(BLOCKS)
    )


def _habit(extremes: Sequence[tuple[tuple[float, ...], ...]], sign: float, block: int, scale: int) -> float:
    near = sorted(
        (
            max(sign * day[b][scale] for b in ((block - 1) % BLOCKS, block, (block + 1) % BLOCKS))
            for day in extremes
        ),
        reverse=True,
    )
    anywhere = sorted((max(sign * day[b][scale] for b in range(BLOCKS)) for day in extremes), reverse=True)
    return max(_nth(near, 3 if len(near) > 14 else 2), _nth(anywhere, max(3, len(anywhere) // 6 + 1)))


def _nth(descending: Sequence[float], number: int) -> float:
    return descending[number - 1] if len(descending) >= number else 0.0


def _step(slots: Sequence[float]) -> list[float]:
    """Counts by slot -> by minute, alike within a slot: office hours begin and end at once."""
    return [slot / SLOT_MINUTES for slot in slots for _ in range(SLOT_MINUTES)]


# How much of a slot's neighbour is in each of its minutes, for the first half and the second.
_FALLING = [0.5 - (minute + 0.5) / SLOT_MINUTES for minute in range(SLOT_MINUTES // 2)]
_RISING = [(minute + 0.5) / SLOT_MINUTES - 0.5 for minute in range(SLOT_MINUTES // 2, SLOT_MINUTES)]


def _interpolate(slots: Sequence[float]) -> list[float]:
    """Counts by slot -> by minute, straight from the middle of one slot to that of the next."""
    rates: list[float] = []
    for before, here, after in zip((slots[0], *slots), slots, (*slots[1:], slots[-1]), strict=False):
        rate, fall, rise = here / SLOT_MINUTES, (before - here) / SLOT_MINUTES, (after - here) / SLOT_MINUTES
        rates += [rate + share * fall for share in _FALLING]
        rates += [rate + share * rise for share in _RISING]
    return rates
