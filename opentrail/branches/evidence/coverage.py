"""Keys of log files and digests -> which hours of each day are sealed.

Only the names are read: whether a digest verifies is the verifier's business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from opentrail.errors import FormatError
from opentrail.format.keys import DigestKey, LogKey, parse_digest_key, parse_log_key

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """A stretch of whole hours, UTC."""

    start: datetime
    end: datetime

    @property
    def count(self) -> int:
        """How many hours."""
        return int((self.end - self.start) / HOUR)


@dataclass(frozen=True, slots=True)
class Day:
    """What lies in the bucket of one day, UTC."""

    date: date
    log_files: int
    digests: int
    backfill_digests: int
    unsealed: tuple[Hours, ...]  # hours in which no digest ends


def cover(
    log_keys: Iterable[str], digest_keys: Iterable[str], *, trail: str, start: datetime, end: datetime
) -> tuple[Day, ...]:
    """Count the files of each day from ``start`` to ``end`` and name the hours that no digest seals.

    A digest seals the hour in which its window ends, whatever its minute. Digests of other
    trails, and objects that are neither, are passed over.

    Args:
        log_keys: keys under the folders of log files.
        digest_keys: keys under the folder of digests.
        trail: whose digests count.
        start: UTC; the first hour that should be sealed begins here or before.
        end: UTC; the last one ends here or after.
    """
    logs = Counter(key.delivered.date() for key in _parsed_logs(log_keys))
    digests = [key for key in _parsed_digests(digest_keys) if key.trail == trail]
    sealed = {_hour_sealed(key) for key in digests if not key.backfill}
    chained = Counter(key.end.date() for key in digests if not key.backfill)
    late = Counter(key.end.date() for key in digests if key.backfill)
    days = []
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    while midnight < end:
        hours = [midnight + number * HOUR for number in range(24)]
        open_hours = [h for h in hours if start <= h and h + HOUR <= end and h not in sealed]
        day = midnight.date()
        days.append(Day(day, logs[day], chained[day], late[day], tuple(_joined(open_hours))))
        midnight += timedelta(days=1)
    return tuple(days)


def _hour_sealed(key: DigestKey) -> datetime:
    """The whole hour most of whose minutes lie in the digest's window of one hour."""
    begins = key.end - HOUR + timedelta(minutes=30)
    return begins.replace(minute=0, second=0, microsecond=0)


def _joined(hours: Iterable[datetime]) -> Iterable[Hours]:
    stretch: Hours | None = None
    for hour in hours:
        if stretch is not None and stretch.end == hour:
            stretch = Hours(stretch.start, hour + HOUR)
            continue
        if stretch is not None:
            yield stretch
        stretch = Hours(hour, hour + HOUR)
    if stretch is not None:
        yield stretch


def _parsed_logs(keys: Iterable[str]) -> Iterable[LogKey]:
    for key in keys:
        try:
            yield parse_log_key(key)
        except FormatError:
            continue


def _parsed_digests(keys: Iterable[str]) -> Iterable[DigestKey]:
    for key in keys:
        try:
            yield parse_digest_key(key)
        except FormatError:
            continue
