"""An hour's or a day's small segments -> few large ones: the roll-up of event history.

Delivery makes a segment for every window, and in a quiet account each holds a
handful of events. Put together, they are fewer entries to look at, fewer files
to read, and an index of half the size. What comes out is segments like any
other, so lookups and Insights know nothing of it.

An entry of the new segment replaces those of the old ones in one transaction, so
counts are never there twice. The old files stay until the lifecycle of history
takes them: a lookup that has just read the old entries still finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import msgspec

from opentrail.branches.history.attributes import read_record
from opentrail.branches.history.segment import build_segment
from opentrail.errors import ConflictError, FormatError, StorageError
from opentrail.format.keys import INSIGHTS, LOGS, log_key
from opentrail.format.log_file import build_log_file, decompress, split_records
from opentrail.format.times import from_epoch
from opentrail.model.event import Place
from opentrail.model.history import Segment
from opentrail.model.log_file import LogFile

DAY_SECONDS = 86_400
MAX_MERGED = 98  # a DynamoDB transaction takes 100 items, one or two of which are new
_PASSES = 4  # 98 small segments make one; four times over they may be more than a day has seconds


class Shelved(msgspec.Struct, frozen=True, kw_only=True):
    """A segment's entry as the roll-up sees it; ``id`` is its name in the index."""

    id: str
    bucket: str
    key: str
    count: int
    oldest: str  # eventTime
    newest: str
    created_at: float  # epoch seconds
    expires: int


class Shelf(Protocol):
    """The index. Maps to ``dynamodb:Query``, ``PutItem`` and ``DeleteItem`` on the history table."""

    def shelved(self, place: Place, *, start: float, end: float) -> Iterator[Shelved]:
        """Segments created from ``start`` until before ``end`` (epoch seconds), oldest first.

        Those that stand apart are left out. Raises ``StorageError``.
        """

    def swap(
        self, place: Place, old: Sequence[Shelved], new: Segment | None, *, created_at: float, expires: int
    ) -> None:
        """Put ``new`` in the place of ``old``, all or nothing; without ``new`` take ``old`` out.

        Raises:
            ConflictError: one of them is no longer there.
            StorageError: the index did not answer.
        """


class Files(Protocol):
    """Where segments lie. Maps to ``s3:GetObject`` and ``s3:PutObject`` on the history bucket."""

    def read_all(self, entries: Sequence[Shelved]) -> list[bytes | None]:
        """Each file's bytes, ``None`` for one that is not there. Raises ``StorageError``."""

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Store a file. Raises ``StorageError``."""


@dataclass(frozen=True, slots=True)
class RolledUp:
    """What a roll-up did: so many segments became so many."""

    before: int = 0
    after: int = 0

    def __add__(self, other: RolledUp) -> RolledUp:
        return RolledUp(self.before + other.before, self.after + other.after)


def roll_up(
    place: Place,
    *,
    start: float,
    end: float,
    shelf: Shelf,
    files: Files,
    new_token: Callable[[], str],
    max_events: int,
    period_seconds: int = DAY_SECONDS,
) -> RolledUp:
    """Put the small segments of each day, or other period, together, up to ``max_events`` in one.

    Running it again, or twice at once, changes nothing more. After a crash a file
    without an entry may remain, which no lookup reads and the lifecycle removes.

    Args:
        place: the account and Region.
        start: epoch seconds; the beginning of a period.
        end: likewise; the periods before it must be over, and all their deliveries settled.
        shelf: the index.
        files: the files.
        new_token: returns 16 fresh characters of ``[A-Za-z0-9]`` per call.
        max_events: at least 2.
        period_seconds: segments of different periods stay apart; a divisor of a day.

    Raises:
        StorageError: the index or a file could not be read or written; what was done stays done.
    """
    work = _Work(place, shelf, files, new_token)
    total = RolledUp()
    for _ in range(_PASSES):
        groups = _groups(shelf.shelved(place, start=start, end=end), max_events, period_seconds)
        done = sum((work.merge(group) for group in list(groups)), RolledUp())
        total += done
        if not done.before:
            break
    return total


def _groups(segments: Iterable[Shelved], max_events: int, period_seconds: int) -> Iterator[list[Shelved]]:
    """Neighbours of one period and kind that fit together; none alone."""
    by_kind: dict[bool, list[Shelved]] = {}
    for segment in segments:
        by_kind.setdefault(_is_insights(segment), []).append(segment)
    for of_kind in by_kind.values():
        for _, of_period in groupby(of_kind, key=lambda segment: segment.created_at // period_seconds):
            yield from (group for group in _fill(of_period, max_events) if len(group) > 1)


def _fill(segments: Iterable[Shelved], max_events: int) -> Iterator[list[Shelved]]:
    group: list[Shelved] = []
    count = 0
    for segment in segments:
        if group and (count + segment.count > max_events or len(group) == MAX_MERGED):
            yield group
            group, count = [], 0
        group.append(segment)
        count += segment.count
    yield group


def _is_insights(segment: Shelved) -> bool:
    return f"/{INSIGHTS}/" in segment.key


@dataclass(frozen=True, slots=True)
class _Work:
    place: Place
    shelf: Shelf
    files: Files
    new_token: Callable[[], str]

    def merge(self, group: Sequence[Shelved]) -> RolledUp:
        """Make one of ``group``; another run that was faster leaves nothing to do."""
        records = self._records(group)
        file, segment = self._store(group, records) if records else (None, None)
        created = file.created_at if file else group[-1].created_at
        expires = max(old.expires for old in group)
        try:
            self.shelf.swap(self.place, group, segment, created_at=created, expires=expires)
        except ConflictError:
            return RolledUp()
        return RolledUp(len(group), 1 if segment else 0)

    def _records(self, group: Sequence[Shelved]) -> list[bytes]:
        """Every record of the group once, oldest first; of a file that was never stored there are none."""
        once: dict[str, tuple[str, bytes]] = {}
        for old, body in zip(group, self.files.read_all(group), strict=True):
            for raw in _split(old, body):
                record = read_record(raw)
                once.setdefault(record.event_id, (record.time, raw))
        return [raw for _, raw in sorted(once.values(), key=lambda record: record[0])]

    def _store(self, group: Sequence[Shelved], records: list[bytes]) -> tuple[LogFile, Segment]:
        last = group[-1]
        piece = b"\n".join(records)
        sha256, body = build_log_file([piece], quick=True)
        file = LogFile(
            bucket=last.bucket,
            key=log_key(
                prefix=last.key.partition("/AWSLogs/")[0],
                organization="",
                place=self.place,
                folder=INSIGHTS if _is_insights(last) else LOGS,
                delivered=from_epoch(last.created_at),
                token=self.new_token(),
            ),
            sha256=sha256,
            count=len(records),
            oldest=min(old.oldest for old in group),
            newest=max(old.newest for old in group),
            created_at=last.created_at,
        )
        self.files.put(file.bucket, file.key, body)
        return file, build_segment(self.place, file, [piece])


def _split(old: Shelved, body: bytes | None) -> list[bytes]:
    try:
        return [] if body is None else split_records(decompress(body))
    except FormatError as error:
        raise StorageError(f"read s3://{old.bucket}/{old.key}: {error}", "Damaged") from error
