"""Events and their destinations -> chunks of one account, Region and folder each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from opentrail.format.chunk import make_chunk
from opentrail.format.keys import folder_of
from opentrail.model.event import Event, Place
from opentrail.model.log_file import Chunk, Destination
from opentrail.pipeline.select.scope import Selection


def pack_events(
    events: Iterable[Event], selection: Selection, *, max_chunk_bytes: int, known: Collection[str] = ()
) -> Iterator[Chunk]:
    """Give every event to each of its destinations, once, in as few chunks as fit.

    Events that go to the same destinations share chunks, so each is packed and
    queued once however many trails want it. An eventID that comes twice is
    taken once. Order within a chunk is order of arrival; the same events give
    the same chunks.

    Args:
        events: one batch.
        selection: says where each event goes.
        max_chunk_bytes: bytes of records a chunk may hold before compression;
            a single larger record gets a chunk of its own.
        known: eventIDs that came another way before and are left out.
    """
    # Selection answers equal sets as the same tuple: its identity is its name here, and far cheaper to hash.
    sets: dict[int, tuple[Destination, ...]] = {}
    groups: dict[tuple[int, Place, str], dict[str, Event]] = {}
    for event in events:
        destinations = selection.destinations(event)
        if destinations:
            sets[id(destinations)] = destinations
            group = groups.setdefault((id(destinations), event.place, event.category), {})
            group.setdefault(event.event_id, event)
    for (name, place, category), chosen in groups.items():
        destinations = sets[name]
        for part in _split(chosen.values(), max_chunk_bytes):
            if any(event.event_id not in known for event in part):
                folder = folder_of(category)
                yield make_chunk(part, destinations=destinations, place=place, folder=folder, known=known)


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
