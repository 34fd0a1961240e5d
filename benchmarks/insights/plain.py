"""Two detectors everybody knows, with the same rule of three minutes in a row and the same quiet period."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from math import sqrt

from benchmarks.insights.weeks import DAY, END, FIRST, JUDGED, Week

CONFIRM, QUIET = 3, 15


def mean_and_sigma(week: Week) -> list[tuple[int, int, int]]:
    """Out of bounds: beyond the mean and three standard deviations of the last seven days' minutes."""
    counts = [week.counts.get(minute, 0) for minute in range(FIRST, END)]
    sums = list(accumulate(counts, initial=0))
    squares = list(accumulate((count * count for count in counts), initial=0))

    def is_out(i: int) -> bool:
        mean = (sums[i] - sums[i - 7 * DAY]) / (7 * DAY)
        sigma = sqrt(max((squares[i] - squares[i - 7 * DAY]) / (7 * DAY) - mean**2, 0))
        return abs(counts[i] - mean) > 3 * sigma

    return _incidents(is_out)


def seasonal_naive(week: Week) -> list[tuple[int, int, int]]:
    """Out of bounds: beyond three square roots of the five minutes around the same time a week ago."""
    counts = [week.counts.get(minute, 0) for minute in range(FIRST, END + 3)]
    sums = list(accumulate(counts, initial=0))

    def is_out(i: int) -> bool:
        before = (sums[i - 7 * DAY + 3] - sums[i - 7 * DAY - 2]) / 5
        return abs(counts[i] - before) > 3 * sqrt(before + 1)

    return _incidents(is_out)


def _incidents(is_out: Callable[[int], bool]) -> list[tuple[int, int, int]]:
    found, run, quiet, open_since = [], 0, 0, -1
    for i in range(JUDGED - FIRST, END - FIRST):
        out = is_out(i)
        run = run + 1 if out else 0
        quiet = 0 if out else quiet + 1
        if open_since < 0 and run == CONFIRM:
            open_since, seen = i - CONFIRM + 1, i + 1
        elif open_since >= 0 and quiet == QUIET:
            found.append((FIRST + open_since, FIRST + i + 1 - QUIET, FIRST + seen))
            open_since = -1
    if open_since >= 0:
        found.append((FIRST + open_since, END, FIRST + seen))
    return found
