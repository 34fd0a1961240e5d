"""Recall, false incidents and delay of the detector, beside two plain ones, on the same labelled weeks.

``python -m benchmarks.insights.run [--weeks 200]``
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from benchmarks.insights import plain
from benchmarks.insights.weeks import END, FIRST, JUDGED, KINDS, Week, make_weeks
from opentrail.branches.insights import Ended, Started, replay

TOLERANCE_MINUTES = 15
Found = list[tuple[int, int, int]]  # start, end, minute of detection


def ours(week: Week) -> Found:
    """What the product's detector finds in the judged week."""
    found: dict[int, tuple[int, int, int]] = {}
    for change in replay(week.counts, FIRST, END, gaps=week.gaps):
        if isinstance(change, Started):
            found[change.minute] = (change.minute, END, change.seen + 1)
        elif isinstance(change, Ended):
            start, _, seen = found[change.start]
            found[change.start] = (start, change.minute, seen)
    return [item for item in found.values() if item[1] > JUDGED]


DETECTORS: dict[str, Callable[[Week], Found]] = {
    "OpenTrail": ours,
    "mean + 3 sigma, 7 days": plain.mean_and_sigma,
    "seasonal-naive": plain.seasonal_naive,
}


@dataclass
class Score:
    """What a detector got right and wrong."""

    caught: int = 0
    missed: int = 0
    false: int = 0
    weeks: int = 0
    delays: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, week: Week, found: Found) -> None:
        """Match what was found with what is known: an incident is found when something overlaps it."""
        self.weeks += 1
        for incident in week.incidents:
            hits = [
                f for f in found
                if f[0] < incident.end and f[1] > incident.start and f[2] <= incident.end + TOLERANCE_MINUTES
            ]  # fmt: skip
            self.caught += bool(hits)
            self.missed += not hits
            if hits:
                self.delays.append(max(0, min(f[2] for f in hits) - incident.start))
        self.false += sum(not _is_known(week, f) for f in found)

    def line(self) -> str:
        """Recall, precision, false incidents per series and month of 30 days, median delay."""
        total = self.caught + self.missed
        recall = self.caught / total if total else float("nan")
        precision = self.caught / (self.caught + self.false) if self.caught + self.false else float("nan")
        delay = median(self.delays) if self.delays else float("nan")
        return (
            f"recall {recall:5.3f}  precision {precision:5.3f}  false/series-month "
            f"{self.false / self.weeks * 30 / 7:7.2f}  median delay {delay:4.1f} min  {self.seconds:5.1f} s"
        )


def _is_known(week: Week, found: tuple[int, int, int]) -> bool:
    return any(
        found[0] < i.end + TOLERANCE_MINUTES and found[1] > i.start - TOLERANCE_MINUTES
        for i in week.incidents
    )


def main() -> None:
    """Print one line per detector, and ours by kind of week."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--weeks", type=int, default=200)
    scores = {name: Score() for name in DETECTORS}
    kinds: dict[str, Score] = defaultdict(Score)
    for week in make_weeks(parser.parse_args().weeks):
        for name, detect in DETECTORS.items():
            before = time.perf_counter()
            found = detect(week)
            scores[name].seconds += time.perf_counter() - before
            scores[name].add(week, found)
            if detect is ours:
                kinds[week.kind].add(week, found)
    for name, score in scores.items():
        print(f"{name:24} {score.line()}")
    for kind in KINDS:
        print(f"  {kind:22} {kinds[kind].line()}")


if __name__ == "__main__":
    main()
