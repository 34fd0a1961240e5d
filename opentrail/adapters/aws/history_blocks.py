"""Blocks of event history in DynamoDB.

A block has the ``sk`` of its last segment. ``pk = <account>#<region>#blocks`` says which
segments it is made of, and ``pk = <account>#<region>#drawer<n>`` holds its n-th drawer: so
one partition is the n-th drawer of all blocks, newest last. What Insights counted in a
segment keeps the segment's ``sk``, under ``pk = <account>#<region>#bound``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from opentrail.adapters.aws import items
from opentrail.adapters.aws.history_table import HistoryTable
from opentrail.adapters.aws.items import Item
from opentrail.branches.history.blocks import MAX_SPAN_SECONDS, Loose, drawer_of, segments_with
from opentrail.branches.history.ports import IndexEntry
from opentrail.format.times import from_epoch, to_iso
from opentrail.model.event import Place

FIRST_PAGE = 16  # items
MOST_AT_ONCE = 64  # blocks read in one request

_LOOSE = ("bucket", "key", "count", "oldest", "newest", "expires", "apart", "hashes", "counts", "callers")


class _Bound(msgspec.Struct, frozen=True, array_like=True):
    """A segment, as its block lists it."""

    bucket: str
    key: str
    count: int
    oldest: str
    newest: str


class _Hit(NamedTuple):
    """A block's sort key, and which of its segments may hold what is looked for."""

    sk: str
    segments: list[int]


_segments = msgspec.json.Decoder(list[_Bound])


class DynamoBlocks:
    """Making blocks, and looking into them."""

    def __init__(self, client: Any, table: str) -> None:
        self._table = HistoryTable(client, table)

    def loose(self, place: Place, *, start: float, end: float) -> Iterator[Loose]:
        """See ``opentrail.branches.history.blocks.Cabinet``."""
        found = self._table.query(items.segment_pk(place), _LOOSE, first=start, last=end, newest_first=False)
        for item in found:
            if "apart" not in item and items.segment_created(item) < end:
                yield _to_loose(item)

    def bind(self, place: Place, segments: Sequence[Loose], drawers: Mapping[int, bytes]) -> None:
        """See ``opentrail.branches.history.blocks.Cabinet``."""
        sk = segments[-1].id
        expires = {"expires": {"N": str(max(segment.expires for segment in segments))}}
        block = {**items.key(items.block_pk(place), sk), "segments": {"B": _encode(segments)}, **expires}
        filled = [
            {**items.key(items.drawer_pk(place, number), sk), "rows": {"B": rows}, **expires}
            for number, rows in drawers.items()
        ]
        self._table.exchange(
            f"make a block of {len(segments)} segments of {place}",
            old=[items.key(items.segment_pk(place), segment.id) for segment in segments],
            new=[block, *filled, *(_counted(place, segment) for segment in segments)],
        )

    def entries(
        self, place: Place, *, first: float, last: float, holding: int | None
    ) -> Iterator[IndexEntry]:
        """Segments in blocks that may have been created between two epoch seconds, about newest first.

        With ``holding``, a value's hash, only those that may hold it.

        Raises:
            StorageError: the table refused or did not answer.
        """
        last += MAX_SPAN_SECONDS
        if holding is None:
            for block in self._query(items.block_pk(place), "segments", first, last):
                yield from reversed(_to_entries(block))
            return
        drawers = self._query(items.drawer_pk(place, drawer_of(holding)), "rows", first, last)
        hits = (_Hit(item["sk"]["S"], segments_with(item["rows"]["B"], holding)) for item in drawers)
        yield from self._entries(place, (hit for hit in hits if hit.segments))

    def _query(self, pk: str, attribute: str, first: float, last: float) -> Iterator[Item]:
        return self._table.query(pk, (attribute,), first=first, last=last, page=FIRST_PAGE)

    def _entries(self, place: Place, hits: Iterator[_Hit]) -> Iterator[IndexEntry]:
        """The segments of ``hits``. Most pages are full after the first block, so it is read alone."""
        at_once = 1
        while batch := list(islice(hits, at_once)):
            blocks = self._table.read(items.block_pk(place), [hit.sk for hit in batch])
            for hit in batch:
                if hit.sk in blocks:  # it may just have expired
                    entries = _to_entries(blocks[hit.sk])
                    yield from (entries[number] for number in reversed(hit.segments))
            at_once = min(at_once * 4, MOST_AT_ONCE)


def _to_loose(item: Item) -> Loose:
    blobs: dict[str, Any] = {name: bytes(item[name]["B"]) for name in ("hashes", "counts", "callers")}
    return Loose(**items.shelved_fields(item), **blobs)


def _counted(place: Place, segment: Loose) -> Item:
    """What Insights reads of a segment in a block."""
    return {
        **items.key(items.bound_pk(place), segment.id),
        "counts": {"B": segment.counts},
        "callers": {"B": segment.callers},
        "expires": {"N": str(segment.expires)},
    }


def _encode(segments: Sequence[Loose]) -> bytes:
    return msgspec.json.encode(
        [_Bound(found.bucket, found.key, found.count, found.oldest, found.newest) for found in segments]
    )


def _to_entries(block: Item) -> list[IndexEntry]:
    """The segments of a block, in their order in it. None has an event later than the block allows."""
    horizon = to_iso(from_epoch(items.segment_created(block) + items.AHEAD_SECONDS))
    return [
        IndexEntry(
            bucket=found.bucket,
            key=found.key,
            count=found.count,
            oldest=found.oldest,
            newest=found.newest,
            hashes=b"",
            horizon=horizon,
        )
        for found in _segments.decode(block["segments"]["B"])
    ]
