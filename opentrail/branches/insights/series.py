"""What is watched: one API (and error code) of one account and Region, counted by the minute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from opentrail.errors import FormatError
from opentrail.format.times import from_epoch, to_iso
from opentrail.model.event import Place

CALL_RATE = "ApiCallRateInsight"
ERROR_RATE = "ApiErrorRateInsight"
DAY_MINUTES = 1440

Counts = Mapping[int, int]  # minute since 1970 -> calls; absent means none


class Scope(NamedTuple):
    """What is watched together: the management events of a place, or the data events a trail takes there."""

    place: Place
    trail: str = ""  # ARN


class Series(NamedTuple):
    """An API of a place; with ``error_code``, only its calls that ended in that error.

    With ``trail``, an ARN, its calls are data events, as far as that trail takes them.
    """

    place: Place
    source: str
    name: str
    error_code: str = ""
    trail: str = ""

    @property
    def scope(self) -> Scope:
        """What it is watched together with."""
        return Scope(self.place, self.trail)

    @property
    def insight_type(self) -> str:
        """The Insight type this series can cause."""
        return ERROR_RATE if self.error_code else CALL_RATE


def join_series(series: Series) -> str:
    """The name of a series within its scope, as segments have it."""
    return f"{series.source}\n{series.name}\n{series.error_code}"


def split_series(scope: Scope, name: str) -> Series:
    """Read such a name."""
    source, _, rest = name.partition("\n")
    api, _, code = rest.partition("\n")
    return Series(scope.place, source, api, code, scope.trail)


def to_minute(text: str) -> int:
    """Minutes since 1970 of ``2026-01-10T04:20`` or of any longer form of it.

    Raises:
        FormatError: not a time.
    """
    try:
        moment = datetime.fromisoformat(text[:16])
    except ValueError as error:
        raise FormatError(f"not a minute: {text!r}") from error
    if len(text) < 16:
        raise FormatError(f"not a minute: {text!r}")
    return int(moment.replace(tzinfo=UTC).timestamp()) // 60


def from_minute(minute: int) -> str:
    """``2026-01-10T04:20:00Z``."""
    return to_iso(from_epoch(minute * 60))


def day_of(minute: int) -> int:
    """Days since 1970."""
    return minute // DAY_MINUTES


def weekday(day: int) -> int:
    """0 is Monday; 1970 began on a Thursday."""
    return (day + 3) % 7


# A gap is told from a drop by its company: one API may fall silent, several busy ones never do together.
GAP_MINUTES = 5
GAP_SERIES = 3
GAP_LEAST_MINUTES = 45  # of the hour before, in which each of them was called


def find_gaps(series: Iterable[Counts], first: int, end: int) -> list[tuple[int, int]]:
    """Spans ``[from, to)`` without any count in a place where several busy APIs had just been called.

    Such silence is missing data (recording stood still), which says nothing about the calls.
    """
    known = [counts for counts in series if counts]
    if len(known) < GAP_SERIES:
        return []
    present = sorted({minute for counts in known for minute in counts if first <= minute < end} | {end})
    return [
        (before + 1, after)
        for before, after in zip(present, present[1:], strict=False)
        if after - before > GAP_MINUTES and is_place_busy(known, before)
    ]


def is_place_busy(series: Iterable[Counts], minute: int) -> bool:
    """True when several APIs were called all through the hour that ends with ``minute``."""
    hour = range(minute - 59, minute + 1)
    busy = 0
    for counts in series:
        busy += sum(m in counts for m in hour) >= GAP_LEAST_MINUTES
        if busy >= GAP_SERIES:
            return True
    return False
