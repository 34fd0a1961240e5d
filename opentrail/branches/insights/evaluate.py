"""One run over one scope: new counts -> judged minutes, and the Insight events they cause.

A run reads where the last one ended, judges every minute that is settled since,
and writes where it ended together with the events it found, on condition that no
other run did so first. Only then are the events sent, and only then forgotten: a
run that dies in between is made good by the next, with the same eventIDs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import msgspec

from opentrail.branches.insights.backtest import errors_of
from opentrail.branches.insights.baseline import BASELINE_DAYS, Baseline, Sensitivity
from opentrail.branches.insights.callers import Callers, Spans
from opentrail.branches.insights.count import Counted
from opentrail.branches.insights.detector import LOOK_BACK, Transition, Watch, Window, judge
from opentrail.branches.insights.keep import (
    Standing,
    decode_baselines,
    decode_counts,
    encode_baselines,
    encode_counts,
)
from opentrail.branches.insights.ports import CountSource, Kept, Memory
from opentrail.branches.insights.replay import DEFAULT, learn
from opentrail.branches.insights.report import REPORTED_DAYS, report, spans_of
from opentrail.branches.insights.series import (
    DAY_MINUTES,
    Scope,
    Series,
    day_of,
    find_gaps,
    is_place_busy,
    join_series,
    split_series,
)
from opentrail.errors import ConflictError
from opentrail.format.insight import InsightEvent, encode_insight

STANDING = "standing"
SETTLE_DAY_MINUTES = 30  # after midnight: then a day's counts are taken as complete
LEARN_SECONDS = 900  # no run learns longer; another may try then
LATE_SECONDS = 6 * 3600  # segments created longer after a day hold nothing of it worth waiting for
MAX_DAYS_A_RUN = 10  # history is caught up with in steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """The evaluation of scopes.

    Args:
        lag_minutes: how long after its end a minute's counts are complete; longer than recording
            and delivery take together. Later counts enter baselines and averages, not verdicts.
        send: takes the records of Insight events to the intake; raises ``StorageError``.
    """

    source: CountSource
    memory: Memory
    send: Callable[[Sequence[bytes]], object]
    lag_minutes: int
    sensitivity: Sensitivity = field(default=DEFAULT)

    def run(self, scope: Scope, insight_types: Collection[str], now: float) -> list[InsightEvent]:
        """Judge what is new in ``scope`` and send what was found; another run's work is left to it.

        Args:
            insight_types: which Insights some trail wants there.
            now: epoch seconds.

        Raises:
            StorageError: a store did not answer; the next run goes on where the last one ended.
        """
        try:
            return _Run(self, scope, frozenset(insight_types), now).run()
        except ConflictError:
            return []


class _Run:
    def __init__(self, parts: Evaluator, scope: Scope, types: frozenset[str], now: float) -> None:
        self._parts, self._scope, self._types, self._now = parts, scope, types, now
        self._today = day_of(int(now) // 60)
        self._standing = Standing()
        self._version = 0

    def run(self) -> list[InsightEvent]:
        (kept,) = self._parts.memory.read(self._scope, [STANDING])
        if not self._take(kept):
            return []
        self._post()
        self._roll_up()
        self._learn()
        found = self._judge()
        if found:
            self._post()
        return found

    def _take(self, kept: Kept) -> bool:
        """Take up where the last run ended; False when nothing was ever counted here."""
        if kept.body:
            self._standing, self._version = msgspec.json.decode(kept.body, type=Standing), kept.version
            return True
        oldest = self._parts.source.oldest(self._scope)
        if oldest is None:
            return False
        observed = max(int(oldest) // 60, (self._today - BASELINE_DAYS) * DAY_MINUTES)
        self._standing = Standing(observed=observed, judged=observed, rolled=day_of(observed))
        return True

    def _save(self) -> None:
        body = msgspec.json.encode(self._standing)
        self._version = self._parts.memory.write(self._scope, STANDING, body, version=self._version)

    def _post(self) -> None:
        """Send what is waiting, then forget it."""
        if self._standing.outbox:
            self._parts.send([text.encode() for text in self._standing.outbox])
            self._standing.outbox = []
            self._save()

    def _roll_up(self) -> None:
        """Keep the counts of each day that is over as one item."""
        settled = day_of(int(self._now) // 60 - SETTLE_DAY_MINUTES)
        first = max(self._standing.rolled, self._today - BASELINE_DAYS)
        days = range(first, min(settled, first + MAX_DAYS_A_RUN))
        for day in days:
            start = day * DAY_MINUTES * 60
            counts = self._parts.source.counts(
                self._scope, created_from=start, created_to=start + DAY_MINUTES * 60 + LATE_SECONDS
            )
            self._write_anyway(f"day#{day}", encode_counts(counts, day))
            self._standing.rolled = day + 1
        if days:
            self._save()

    def _write_anyway(self, name: str, body: bytes) -> None:
        (kept,) = self._parts.memory.read(self._scope, [name])
        self._parts.memory.write(self._scope, name, body, version=kept.version)

    def _learn(self) -> None:
        """Make the baselines of today and tomorrow, once a day, in one run at a time."""
        standing = self._standing
        known = standing.rolled
        if standing.learned == known or known < self._today or standing.learning_until > self._now:
            return
        standing.learning_until = self._now + LEARN_SECONDS
        self._save()
        counted, first = self._past(known - BASELINE_DAYS, known), self._first(known - BASELINE_DAYS)
        gaps = find_gaps(counted.values(), first, known * DAY_MINUTES)
        baselines = {
            series: learned
            for series, counts in counted.items()
            if (learned := learn(counts, first, known, gaps=gaps, sensitivity=self._parts.sensitivity))
        }
        self._write_anyway("baselines", encode_baselines(baselines))
        standing.learned, standing.learning_until = known, 0.0
        self._save()

    def _first(self, day: int) -> int:
        return max(self._standing.observed, day * DAY_MINUTES)

    def _past(self, first: int, end: int) -> Counted:
        """The counts of the days ``[first, end)``."""
        days = range(max(first, day_of(self._standing.observed)), end)
        counted: Counted = {}
        for day, kept in zip(
            days, self._parts.memory.read(self._scope, [f"day#{d}" for d in days]), strict=True
        ):
            decode_counts(counted, kept.body, self._scope, day)
        return counted

    def _judge(self) -> list[InsightEvent]:
        """Judge every settled minute and save where that ended, with what was found."""
        standing, end = self._standing, int(self._now) // 60 - self._parts.lag_minutes
        if standing.judged >= end:
            return []
        counts = self._recent(end)
        end = self._last_heard(counts, end)
        (kept,) = self._parts.memory.read(self._scope, ["baselines"])
        baselines = decode_baselines(kept.body, self._scope)
        found: list[tuple[Series, Transition]] = []
        for day in range(day_of(standing.judged), day_of(max(end - 1, standing.judged)) + 1):
            found += self._judge_day(day, counts, baselines, end)
        standing.judged = max(standing.judged, end)
        events = self._report(found) if found else []
        standing.outbox += [encode_insight(event).decode() for event in events]
        self._save()
        return events

    def _recent(self, end: int) -> Counted:
        first = max(self._standing.judged, end - DAY_MINUTES) - LOOK_BACK
        return self._counts_from(first)

    def _counts_from(self, first: int) -> Counted:
        """All counts of the minutes from ``first`` on; of earlier ones these segments hold only a part."""
        found = self._parts.source.counts(self._scope, created_from=first * 60, created_to=self._now + 60)
        return {
            series: {minute: count for minute, count in counts.items() if minute >= first}
            for series, counts in found.items()
        }

    def _last_heard(self, counts: Counted, end: int) -> int:
        """Where judging has to stop: when several busy APIs fall silent together, nobody knows yet why."""
        last = max(
            (minute for of_series in counts.values() for minute in of_series if minute < end), default=end
        )
        return last + 1 if last < end and is_place_busy(counts.values(), last) else end

    def _judge_day(
        self, day: int, counts: Counted, baselines: dict[Series, list[Baseline]], end: int
    ) -> list[tuple[Series, Transition]]:
        standing = self._standing
        if not any(b.day == day for known in baselines.values() for b in known):
            return []  # too early to know what is normal
        start = max(standing.judged, day * DAY_MINUTES, end - DAY_MINUTES)
        stop = min(end, (day + 1) * DAY_MINUTES)
        gaps = find_gaps(counts.values(), start - LOOK_BACK, stop)
        found: list[tuple[Series, Transition]] = []
        watched = {split_series(self._scope, name) for name in standing.watches}
        for series in sorted({*counts, *baselines, *watched}):
            if series.insight_type in self._types and start < stop:
                baseline = next((b for b in baselines.get(series, ()) if b.day == day), Baseline.silent(day))
                watch = standing.watches.get(join_series(series)) or Watch(start, standing.observed)
                watch.judged = start
                window = Window(baseline, counts.get(series, {}), gaps, start, stop)
                found += [(series, c) for c in judge(baseline, window, watch, self._parts.sensitivity)]
                standing.keep_watch(series, watch)
        return found

    def _report(self, found: list[tuple[Series, Transition]]) -> list[InsightEvent]:
        """Write the events, with the averages of the days before and whose calls they were."""
        past = self._past(self._today - REPORTED_DAYS - 2, self._standing.rolled)
        for series, fresh in self._counts_from(self._standing.rolled * DAY_MINUTES).items():
            past.setdefault(series, {}).update(fresh)  # what only segments hold yet
        observed = self._standing.observed
        callers = self._callers([(series, spans_of(change, observed)) for series, change in found])
        return [
            report(
                series,
                change,
                past.get(series, {}),
                errors=errors_of(series, past),
                observed=observed,
                attributions=callers.attributions(series, spans_of(change, observed)),
            )
            for series, change in found
        ]

    def _callers(self, asked: list[tuple[Series, Spans]]) -> Callers:
        callers = Callers(asked)
        first = min(spans.around[0] for _, spans in asked)
        for segment in self._parts.source.callers(
            self._scope, created_from=first * 60, created_to=self._now + 60
        ):
            callers.add(segment)
        return callers
