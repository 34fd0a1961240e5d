"""Who called, by minute, from event history's index -> the attributions of Insight events.

Memory is bounded: of each incident's values the rarest are forgotten once there are very many.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from opentrail.branches.insights.series import Series, join_series, to_minute
from opentrail.errors import FormatError
from opentrail.format.insight import Attribution, Share, top_shares

ATTRIBUTES = ("userIdentityArn", "userAgent", "resourceArn")
_MOST_VALUES = 1000  # twice as many for a while

_names = msgspec.json.Decoder(dict[str, msgspec.Raw])
_found = msgspec.json.Decoder(dict[str, dict[str, dict[str, int]]])

Span = tuple[int, int]  # minutes [from, to)


class Spans(NamedTuple):
    """What is compared: the minutes of an incident that are reported, and those of its baseline."""

    measured: Span
    before: Span

    @property
    def around(self) -> Span:
        """From the first minute of both to the last."""
        return min(self.measured[0], self.before[0]), max(self.measured[1], self.before[1])


class Callers:
    """Sums whose calls there were, over segments, for the incidents that are asked about."""

    def __init__(self, asked: Iterable[tuple[Series, Spans]]) -> None:
        self._asked: dict[str, dict[Spans, _Sums]] = {}
        for series, spans in asked:
            self._asked.setdefault(join_series(series), {})[spans] = _Sums()
        self._minutes: dict[str, int] = {}

    def add(self, segment: bytes) -> None:
        """Add one segment's callers, as its index item has them; no bytes are none."""
        named = _names.decode(zlib.decompress(segment)) if segment else {}
        for name in named.keys() & self._asked.keys():
            for attribute, values in _found.decode(named[name]).items():
                for value, by_minute in values.items():
                    minutes = [(self._minute(text), count) for text, count in by_minute.items()]
                    for spans, sums in self._asked[name].items():
                        sums.add(attribute, value, minutes, spans)

    def attributions(self, series: Series, spans: Spans) -> list[Attribution]:
        """The values with most calls, of each attribute of which there is any."""
        sums = self._asked[join_series(series)][spans]
        found = [
            Attribution(
                attribute,
                insight=_top(sums.measured.get(attribute), spans.measured),
                baseline=_top(sums.before.get(attribute), spans.before),
            )
            for attribute in ATTRIBUTES
        ]
        return [attribution for attribution in found if attribution.insight or attribution.baseline]

    def _minute(self, text: str) -> int:
        if text not in self._minutes:
            try:
                self._minutes[text] = to_minute(text)
            except FormatError:  # a record without a usable time
                self._minutes[text] = -1
        return self._minutes[text]


class _Sums:
    def __init__(self) -> None:
        self.measured: dict[str, Counter[str]] = {}
        self.before: dict[str, Counter[str]] = {}

    def add(self, attribute: str, value: str, minutes: list[tuple[int, int]], spans: Spans) -> None:
        for sums, (start, end) in ((self.measured, spans.measured), (self.before, spans.before)):
            calls = sum([count for minute, count in minutes if start <= minute < end])
            if calls:
                _count(sums, attribute, value, calls)


def _count(sums: dict[str, Counter[str]], attribute: str, value: str, calls: int) -> None:
    counter = sums.setdefault(attribute, Counter())
    counter[value] += calls
    if len(counter) > 2 * _MOST_VALUES:
        sums[attribute] = Counter(dict(counter.most_common(_MOST_VALUES)))


def _top(calls: Counter[str] | None, span: Span) -> list[Share]:
    start, end = span
    return top_shares({value: round(count / (end - start), 10) for value, count in (calls or {}).items()})
