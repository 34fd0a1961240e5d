"""Labelled weeks: made-up minute counts of APIs whose incidents are known.

Each series is 28 days of history and the week that is judged. The histories hold
unlabelled incidents too, for a baseline has to survive its past.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import cos, exp, log, pi, sqrt

FIRST = 1767571200 // 60  # 2026-01-05, a Monday
HISTORY_DAYS = 28
DAY = 1440
JUDGED = FIRST + HISTORY_DAYS * DAY
END = JUDGED + 7 * DAY


@dataclass(frozen=True)
class Incident:
    """Minutes ``[start, end)`` that are not normal."""

    start: int
    end: int
    kind: str


@dataclass
class Week:
    """One series: counts by minute, what went wrong in its judged week, and minutes without data."""

    kind: str
    counts: dict[int, int]
    incidents: list[Incident]
    gaps: list[tuple[int, int]] = field(default_factory=list)


def poisson(chance: random.Random, mean: float) -> int:
    """A Poisson number."""
    if mean > 50:
        return max(0, round(chance.gauss(mean, sqrt(mean))))
    limit, product, number = exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        number += 1
    return number


def negative_binomial(chance: random.Random, mean: float, dispersion: float) -> int:
    """A number of variance ``mean + dispersion * mean**2``."""
    if mean <= 0:
        return 0
    if dispersion:
        mean = chance.gammavariate(1 / dispersion, mean * dispersion)
    return poisson(chance, mean)


def _rhythm(chance: random.Random, level: float, *, depth: float, weekend: float) -> Callable[[int], float]:
    peak = chance.uniform(8, 18) * 60

    def rate(minute: int) -> float:
        at = minute - FIRST
        day = 1 + depth * cos(2 * pi * (at % DAY - peak) / DAY)
        return level * day * (weekend if at // DAY % 7 >= 5 else 1)

    return rate


def make_week(kind: str, seed: int) -> Week:
    """The same week for the same kind and seed."""
    chance = random.Random(f"{kind}-{seed}")
    level = exp(chance.uniform(log(0.5), log(80)))
    dispersion = chance.choice([0.0, 0.02, 0.1, 0.3])
    depth, weekend = chance.uniform(0.3, 0.95), chance.choice([1.0, 0.6, 0.15])
    growth = chance.choice([0.008, 0.015, -0.008]) if kind == "trend" else 0.0
    if kind == "quiet":
        level, dispersion = exp(chance.uniform(log(0.0002), log(0.05))), 0.0
    if kind in ("drop", "missing"):
        level = max(level, 8.0)
    if kind == "flat":
        depth, weekend = 0.0, 1.0
    rate = _rhythm(chance, level, depth=depth, weekend=weekend)
    wobble = 0.0
    means: list[float] = []
    for minute in range(FIRST, END):
        if minute % 10 == 0:
            wobble = 0.9 * wobble + chance.gauss(0, 0.04 if kind != "quiet" else 0.0)
        means.append(rate(minute) * exp(wobble) * (1 + growth) ** ((minute - FIRST) / DAY))
    incidents = _disturb(kind, chance, means, level)
    counts = {
        FIRST + i: count
        for i, mean in enumerate(means)
        if (count := negative_binomial(chance, mean, dispersion))
    }
    gaps = []
    if kind == "missing":
        for _ in range(3):
            start = FIRST + chance.randrange(len(means) - 700)
            gaps.append((start, start + chance.randrange(30, 600)))
    for start, end in gaps:
        for minute in range(start, end):
            counts.pop(minute, None)
        incidents = [i for i in incidents if i.end < start - 60 or i.start > end + 60]
    return Week(kind, counts, incidents, gaps)


def _disturb(kind: str, chance: random.Random, means: list[float], level: float) -> list[Incident]:
    """Change the expected counts; answer what of it, in the judged week, is an incident."""
    if kind == "jobs":  # a nightly job of a few minutes, not always at the very same one
        for day in range(35):
            start = day * DAY + 150 + chance.randrange(8)
            _raise(means, start, chance.randrange(6, 15), 5 * level + 20)
    if kind == "deployments":  # several a week in working hours: many calls, and normal
        for day in (d for d in range(35) if d % 7 < 5):
            for _ in range(chance.choice([1, 2, 3])):
                _raise(
                    means, day * DAY + chance.randrange(540, 1080), chance.randrange(4, 15), 4 * level + 15
                )
    for _ in range(chance.choice([0, 1, 2])):  # what went wrong before
        start = chance.randrange(HISTORY_DAYS * DAY - 300)
        _raise(means, start, chance.randrange(10, 240), 10 * level + 20)
    made: list[Incident] = []
    if kind == "calm":
        return made
    days = chance.sample(range(7), 2)
    for day in days:
        start = HISTORY_DAYS * DAY + day * DAY + chance.randrange(60, DAY - 420)
        made.append(_make_incident(kind, chance, means, level, start))
    return sorted(made, key=lambda incident: incident.start)


def _make_incident(
    kind: str, chance: random.Random, means: list[float], level: float, start: int
) -> Incident:
    if kind == "drop":
        length = chance.randrange(20, 180)
        for i in range(start, start + length):
            means[i] *= chance.choice([0.0, 0.0, 0.05])
        return Incident(FIRST + start, FIRST + start + length, "drop")
    if kind == "ramp":
        length = chance.randrange(60, 300)
        for i in range(length):
            means[start + i] += (6 * means[start + i] + 8) * (i / length)
        return Incident(FIRST + start, FIRST + start + length, "ramp")
    length = chance.randrange(5, 120)
    size = chance.uniform(3, 10) * max(means[start : start + length]) + chance.uniform(3, 30)
    if kind in ("jobs", "deployments"):
        size += 30 * level + 60  # far beyond what is habitual
    _raise(means, start, length, size)
    return Incident(FIRST + start, FIRST + start + length, "burst")


def _raise(means: list[float], start: int, length: int, by: float) -> None:
    for i in range(start, min(start + length, len(means))):
        means[i] += by


KINDS = ("rhythm", "flat", "trend", "quiet", "jobs", "deployments", "drop", "ramp", "missing", "calm")


def make_weeks(number: int) -> Iterator[Week]:
    """``number`` weeks, every kind in turn."""
    for seed in range(number):
        yield make_week(KINDS[seed % len(KINDS)], seed)
