"""What the evaluator keeps between runs <-> bytes."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import msgspec

from opentrail.branches.insights.baseline import Baseline
from opentrail.branches.insights.count import Counted
from opentrail.branches.insights.detector import Watch
from opentrail.branches.insights.series import DAY_MINUTES, Scope, Series, join_series, split_series

_baselines = msgspec.msgpack.Decoder(dict[str, list[Baseline]])
_counts = msgspec.msgpack.Decoder(dict[str, dict[int, int]])
_names = msgspec.json.Decoder(dict[str, msgspec.Raw])
_by_minute = msgspec.json.Decoder(dict[str, int])
_segment = msgspec.json.Decoder(dict[str, dict[str, int]])


class Standing(msgspec.Struct, omit_defaults=True):
    """Where the watching of a place stands. Minutes and days since 1970."""

    observed: int = 0  # the first minute that was counted
    judged: int = 0  # the next minute to judge
    rolled: int = 0  # the first day without an item of its own
    learned: int = 0  # the day the baselines were made on
    learning_until: float = 0.0  # epoch seconds: a run makes them now
    watches: dict[str, Watch] = {}  # only of series about which there is something to remember
    outbox: list[str] = []  # records to be sent

    def keep_watch(self, series: Series, watch: Watch) -> None:
        """Remember ``watch`` unless forgetting it loses nothing."""
        if watch.is_idle:
            self.watches.pop(join_series(series), None)
        else:
            self.watches[join_series(series)] = watch


def encode_counts(counted: Counted, day: int) -> bytes:
    """The minutes of one day."""
    first = day * DAY_MINUTES
    kept = {
        join_series(series): {m - first: n for m, n in counts.items() if 0 <= m - first < DAY_MINUTES}
        for series, counts in counted.items()
    }
    return zlib.compress(msgspec.msgpack.encode({name: counts for name, counts in kept.items() if counts}))


def decode_counts(counted: Counted, body: bytes, scope: Scope, day: int) -> None:
    """Add such a day to ``counted``; no bytes are a day without calls."""
    if not body:
        return
    for name, counts in _counts.decode(zlib.decompress(body)).items():
        of_series = counted.setdefault(split_series(scope, name), {})
        of_series.update({day * DAY_MINUTES + minute: count for minute, count in counts.items()})


def encode_baselines(baselines: Mapping[Series, list[Baseline]]) -> bytes:
    """The baselines of a place."""
    named = {join_series(series): known for series, known in baselines.items()}
    return zlib.compress(msgspec.msgpack.encode(named))


def decode_baselines(body: bytes, scope: Scope) -> dict[Series, list[Baseline]]:
    """Read them back; no bytes are none."""
    if not body:
        return {}
    named = _baselines.decode(zlib.decompress(body))
    return {split_series(scope, name): known for name, known in named.items()}


def read_segment_counts(body: bytes) -> dict[str, dict[str, int]]:
    """The counts of one segment's index item: {"source\\nname\\nerrorCode": {"2026-01-10T04:20": 3}}."""
    return _segment.decode(zlib.decompress(body))


def read_series_counts(body: bytes, name: str) -> dict[str, int]:
    """The same of one series only."""
    found = _names.decode(zlib.decompress(body)).get(name)
    return {} if found is None else _by_minute.decode(found)
