"""What is looked for -> the events that have it, newest first, one page at a time.

Index entries come newest first; those whose times or hashes rule a hit out are
passed over, the files of the others are read, few at a time and only as long as
the page is not full. An event leaves for the page once nothing unread can be
newer.

The order is total: eventTime, then eventID, both falling. So a page can begin
exactly where another ended, and an event that was recorded twice stands next to
itself and is answered once.

Source: CloudTrail API reference, LookupEvents; formats.md 7.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from opentrail.branches.history.attributes import ROOT, Indexed, has_value, read_record
from opentrail.branches.history.ports import IndexEntry, SegmentFiles, SegmentIndex
from opentrail.branches.history.segment import hash_value, holds_hash
from opentrail.errors import FormatError, StorageError
from opentrail.format.keys import INSIGHTS
from opentrail.format.log_file import decompress, split_records
from opentrail.format.times import from_epoch, to_iso
from opentrail.model.event import Place

MAX_READS = 50  # files for one page; a page that needs more is shorter, and the next one goes on
_AT_ONCE = 8
_MAX_AHEAD = 64  # entries looked at beyond a full page, to say whether there is another
# An eventID whose head is a time was made within this many seconds of its event (ours are, all of them).
_ID_SLACK_SECONDS = 60
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_PAST = ""  # before every time
_FUTURE = "~"  # after every time


class Position(NamedTuple):
    """Where a page ended: the last event's place in the order."""

    time: str
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """What is looked for.

    ``start`` and ``end`` are eventTimes, both inclusive; ``attribute`` is an
    AttributeKey or "" for every event; ``after`` ends the page before.
    """

    place: Place
    start: str
    end: str
    attribute: str = ""
    value: str = ""
    insights: bool = False
    wanted: Callable[[Indexed], bool] | None = None  # a further test of the record
    after: Position | None = None
    limit: int = 50


class Found(NamedTuple):
    """One event of a page."""

    time: str
    event_id: str
    record: Indexed
    raw: bytes

    @property
    def position(self) -> Position:
        """Its place in the order."""
        return Position(self.time, self.event_id)


class Page(NamedTuple):
    """Events, newest first, and where the next page begins; None when this is the last."""

    events: list[Found]
    last: Position | None


def find_events(lookup: Lookup, *, index: SegmentIndex, files: SegmentFiles) -> Page:
    """One page of what ``lookup`` asks for.

    A page may be shorter than its limit and still not be the last.

    Raises:
        StorageError: the index or a file could not be read, or a file is damaged.
    """
    made_at = _time_in(lookup.value) if lookup.attribute == "EventId" else None
    if made_at is not None:
        page = _Search(_around(lookup, made_at), index, files).run()
        if page.events:
            return page
    return _Search(lookup, index, files).run()


def _around(lookup: Lookup, moment: float) -> Lookup:
    """The same within a minute of ``moment``."""
    start, end = (to_iso(from_epoch(moment + side * _ID_SLACK_SECONDS)) for side in (-1, 1))
    return replace(lookup, start=max(lookup.start, start), end=min(lookup.end, end))


def _time_in(event_id: str) -> float | None:
    """The epoch seconds an eventID carries, if it is of the kind that does (RFC 9562, versions 7 and 8)."""
    digits = event_id.replace("-", "")
    if len(digits) != 32 or digits[12] not in "78":
        return None
    try:
        seconds = int(digits[:12], 16) / 1000
    except ValueError:
        return None
    return seconds if seconds < 1 << 32 else None  # beyond 2106 it is no time


class _Pending(NamedTuple):
    """A heap's element; the heap gives the newest entry first."""

    order: tuple[int, ...]
    number: int
    entry: IndexEntry


class _Search:
    """One page in the making."""

    def __init__(self, lookup: Lookup, index: SegmentIndex, files: SegmentFiles) -> None:
        self._lookup = lookup
        self._end = min(lookup.end, lookup.after.time) if lookup.after else lookup.end
        self._wanted = hash_value(lookup.attribute, lookup.value) if lookup.attribute else None
        self._listing: Iterator[IndexEntry] = iter(())
        if lookup.start <= self._end:
            self._listing = index.entries(
                lookup.place, start=lookup.start, end=self._end, holding=self._wanted
            )
        self._files = files
        self._horizon = _FUTURE
        self._pending: list[_Pending] = []
        self._hits: list[Found] = []
        self._number = 0
        self._reads = 0
        self._read_hits = 0
        self._page: list[Found] = []

    def run(self) -> Page:
        limit = 1 if self._lookup.attribute == "EventId" else self._lookup.limit
        while len(self._page) < limit:
            unread = self._unread()
            if self._hits and self._hits[-1].time > unread:
                self._take()
            elif self._horizon >= unread and self._horizon != _PAST:
                self._list_on()
            elif not self._pending or self._reads >= MAX_READS and self._page:
                break
            else:
                self._read_on(limit)
        last = self._page[-1].position if self._page and self._has_more() else None
        return Page(self._page, last if self._lookup.attribute != "EventId" else None)

    def _unread(self) -> str:
        """The latest time an event that was not read yet can have; the past when all were read."""
        newest = self._pending[0].entry.newest if self._pending else _PAST
        return max(newest, self._horizon)

    def _take(self) -> None:
        hit = self._hits.pop()
        if not self._page or self._page[-1].position != hit.position:
            self._page.append(hit)

    def _list_on(self) -> None:
        """Look at one more entry of the index."""
        entry = next(self._listing, None)
        if entry is None:
            self._horizon = _PAST
            return
        self._horizon = min(self._horizon, entry.horizon)
        if self._may_hold(entry):
            self._number += 1
            heapq.heappush(self._pending, _Pending(_falling(entry.newest), self._number, entry))

    def _may_hold(self, entry: IndexEntry) -> bool:
        lookup = self._lookup
        return (
            entry.newest >= lookup.start
            and entry.oldest <= self._end
            and (f"/{INSIGHTS}/" in entry.key) is lookup.insights
            and (self._wanted is None or holds_hash(entry.hashes, self._wanted))
        )

    def _read_on(self, limit: int) -> None:
        """Read the newest pending files, as many as the page will probably need."""
        count = self._worth_reading(limit - len(self._page) - len(self._hits))
        while len(self._pending) < count and self._horizon != _PAST:
            self._list_on()
        entries = [heapq.heappop(self._pending).entry for _ in range(min(count, len(self._pending)))]
        found = [
            hit
            for entry, body in zip(entries, self._files.read_all(entries), strict=True)
            if body is not None
            for hit in self._hits_in(entry, body)
        ]
        self._reads += len(entries)
        self._read_hits += len(found)
        self._hits = sorted([*self._hits, *found], key=lambda hit: hit.position)

    def _worth_reading(self, wanted: int) -> int:
        if not self._lookup.attribute:
            guess = self._pending[0].entry.count
        else:
            guess = self._read_hits // self._reads if self._reads else wanted
        count = -(-wanted // max(guess, 1))
        return max(1, min(count, _AT_ONCE, MAX_READS - self._reads))

    def _hits_in(self, entry: IndexEntry, body: bytes) -> Iterator[Found]:
        try:
            records = split_records(decompress(body))
        except FormatError as error:
            raise StorageError(f"read s3://{entry.bucket}/{entry.key}: {error}", "Damaged") from error
        may_hit = _sieve(self._lookup)
        for raw in filter(may_hit, records):
            record = read_record(raw)
            time = record.time if _TIME.fullmatch(record.time) else entry.newest
            hit = Found(time, record.event_id, record, raw)
            if self._is_hit(hit):
                yield hit

    def _is_hit(self, hit: Found) -> bool:
        lookup = self._lookup
        return (
            lookup.start <= hit.time <= self._end
            and hit.record.is_insight is lookup.insights
            and (lookup.wanted is None or lookup.wanted(hit.record))
            and (lookup.after is None or hit.position < lookup.after)
            and (not lookup.attribute or has_value(hit.record, lookup.attribute, lookup.value))
        )

    def _has_more(self) -> bool:
        """Whether an event may follow the page's last one. Looks at the index, reads no file."""
        if any(hit.position != self._page[-1].position for hit in self._hits):
            return True
        for _ in range(_MAX_AHEAD):
            if self._pending or self._horizon == _PAST:
                break
            self._list_on()
        return bool(self._pending) or self._horizon != _PAST


def _sieve(lookup: Lookup) -> Callable[[bytes], bool]:
    """Tells records that cannot hold the value looked for by their bytes, at a tenth of reading them.

    Most values stand in the record as they are. A record with a backslash may spell
    them otherwise, so it is read.
    """
    derived = lookup.attribute in ("", "ReadOnly", "ResourceType") or lookup.value == ROOT
    if derived or not lookup.value.isascii():
        return lambda raw: True
    wanted = lookup.value.encode()
    return lambda raw: wanted in raw or b"\\" in raw


def _falling(time: str) -> tuple[int, ...]:
    """A key that sorts times from new to old."""
    return tuple(-ord(character) for character in time)
