"""Segments of days that are over -> blocks: their hashes in drawers, by value.

Who looks for a value that few events have would read the hashes of all segments of
90 days. A block puts those of several segments into 64 drawers, each an item of its
own under a key that names the drawer: the lookup opens one drawer of every block.

Only days with enough events for 64 items make a block, a quiet place's together
with the days before. What they hold stays loose until then, or for good: a week
of it is no more to read than a page.

A segment goes from the loose ones into its block in one transaction, so it is in
one of the two, and its counts are there once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, takewhile
from typing import Protocol

from opentrail.branches.history.rollup import DAY_SECONDS, Shelved
from opentrail.branches.history.segment import HASH_BYTES
from opentrail.errors import ConflictError
from opentrail.model.event import Place

DRAWERS = 64
MIN_EVENTS = 1024  # an item for sixteen events, at worst
MAX_SPAN_SECONDS = 7 * DAY_SECONDS  # from a block's first segment to its last
# A DynamoDB transaction takes 100 items: the drawers, the block, and two for each segment.
MAX_BOUND = (100 - DRAWERS - 1) // 2
MAX_BYTES = 3_000_000  # and 4 MB; in drawers hashes take a quarter more
_ROW_BYTES = HASH_BYTES + 1


class Loose(Shelved, frozen=True, kw_only=True):
    """A segment that is in no block, with all its entry holds."""

    hashes: bytes
    counts: bytes
    callers: bytes


class Cabinet(Protocol):
    """The index. Maps to ``dynamodb:Query``, ``PutItem`` and ``DeleteItem`` on the history table."""

    def loose(self, place: Place, *, start: float, end: float) -> Iterator[Loose]:
        """Segments in no block, created from ``start`` until before ``end`` (epoch seconds), oldest first.

        Those that stand apart are left out. Raises ``StorageError``.
        """

    def bind(self, place: Place, segments: Sequence[Loose], drawers: Mapping[int, bytes]) -> None:
        """Take ``segments`` from the loose ones and make them a block, all or nothing.

        Raises:
            ConflictError: one of them is no longer there.
            StorageError: the index did not answer.
        """


def bind_segments(
    place: Place, *, start: float, end: float, cabinet: Cabinet, min_events: int = MIN_EVENTS
) -> int:
    """Make blocks of the segments created from ``start`` until before ``end``; say how many went into one.

    Running it again, or twice at once, changes nothing more.

    Args:
        place: the account and Region.
        start: epoch seconds.
        end: likewise; the days before it must be over, and rolled up.
        cabinet: the index.
        min_events: fewer make no block.

    Raises:
        StorageError: the index could not be read or written; what was done stays done.
    """
    bound = 0
    for group in _groups(cabinet.loose(place, start=start, end=end), min_events):
        try:
            cabinet.bind(place, group, fill_drawers([segment.hashes for segment in group]))
        except ConflictError:
            continue  # another run was faster
        bound += len(group)
    return bound


def drawer_of(number: int) -> int:
    """Which drawer a value with this hash is in."""
    return number * DRAWERS >> 8 * HASH_BYTES


def fill_drawers(hashes: Sequence[bytes]) -> dict[int, bytes]:
    """The drawers of a block whose segments have these hashes; empty ones are left out.

    A drawer is rows in ascending order: a hash, then the number of a segment that
    has it, one byte. A value in several segments has as many rows.
    """
    rows = sorted(
        packed[at : at + HASH_BYTES] + bytes([number])
        for number, packed in enumerate(hashes)
        for at in range(0, len(packed), HASH_BYTES)
    )
    by_drawer = groupby(rows, key=lambda row: drawer_of(int.from_bytes(row[:HASH_BYTES], "big")))
    return {drawer: b"".join(of_drawer) for drawer, of_drawer in by_drawer}


def segments_with(drawer: bytes, number: int) -> list[int]:
    """The segments of a block that have this hash, by their numbers, ascending."""
    wanted = number.to_bytes(HASH_BYTES, "big")
    starts = range(0, len(drawer), _ROW_BYTES)
    at = bisect_left(starts, wanted, key=lambda start: drawer[start : start + _ROW_BYTES])
    rows = takewhile(lambda start: drawer.startswith(wanted, start), starts[at:])
    return [drawer[start + HASH_BYTES] for start in rows]


def _groups(segments: Iterable[Loose], min_events: int) -> Iterator[list[Loose]]:
    """What makes a block each, in the order of creation."""
    group: list[Loose] = []
    with_hashes = (segment for segment in segments if segment.hashes)
    for _, of_day in groupby(with_hashes, key=lambda segment: segment.created_at // DAY_SECONDS):
        for segment in of_day:
            while group and not _fits(group, segment):
                if _events(group) >= min_events:
                    yield group
                    group = []
                else:
                    group = group[1:]
            group.append(segment)
        if _events(group) >= min_events:
            yield group
            group = []


def _fits(group: Sequence[Loose], segment: Loose) -> bool:
    return (
        len(group) < MAX_BOUND
        and segment.created_at - group[0].created_at <= MAX_SPAN_SECONDS
        and sum(_size(member) for member in group) + _size(segment) <= MAX_BYTES
    )


def _events(group: Sequence[Loose]) -> int:
    return sum(segment.count for segment in group)


def _size(segment: Loose) -> int:
    return len(segment.hashes) + len(segment.counts) + len(segment.callers)
