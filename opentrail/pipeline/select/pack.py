"""Events and their destinations -> chunks, one destination, account, Region and folder each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from opentrail.format.chunk import make_chunk
from opentrail.format.keys import folder_of
from opentrail.model.event import Event, Place
from opentrail.model.log_file import Chunk, Destination
from opentrail.pipeline.select.scope import Selection


def pack_events(events: Iterable[Event], selection: Selection, *, max_chunk_bytes: int) -> Iterator[Chunk]:
    """Give every event to each of its destinations, once, in as few chunks as fit.

    An eventID that comes twice in ``events`` for one destination is taken once.
    Order within a chunk is order of arrival; the same events give the same
    chunks.

    Args:
        events: one batch.
        selection: says where each event goes.
        max_chunk_bytes: bytes of records a chunk may hold before compression;
            a single larger record gets a chunk of its own.
    """
    groups: dict[tuple[str, Place, str], tuple[Destination, dict[str, Event]]] = {}
    for event in events:
        for destination in selection.destinations(event):
            key = (destination.name, event.place, folder_of(event.category))
            group = groups.get(key)
            if group is None:
                group = groups[key] = (destination, {})
            group[1].setdefault(event.event_id, event)
    for (_, place, folder), (destination, chosen) in groups.items():
        for part in _split(chosen.values(), max_chunk_bytes):
            yield make_chunk(part, destination=destination, place=place, folder=folder)


def _split(events: Iterable[Event], limit: int) -> Iterator[list[Event]]:
    part: list[Event] = []
    size = 0
    for event in events:
        if part and size + len(event.raw) > limit:
            yield part
            part, size = [], 0
        part.append(event)
        size += len(event.raw) + 1
    if part:
        yield part
