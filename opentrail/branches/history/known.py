"""Events that came a second time, by another way -> those that history has already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from opentrail.branches.history.attributes import read_record
from opentrail.branches.history.ports import IndexEntry, SegmentFiles, SegmentIndex
from opentrail.branches.history.segment import holds_value
from opentrail.errors import FormatError
from opentrail.format.log_file import decompress, split_records
from opentrail.model.event import Place

_AT_ONCE = 8  # files read together, and held in memory
_DAY_CHARACTERS = len("2026-01-10")


class _Named(msgspec.Struct, gc=False):
    event_id: str = msgspec.field(name="eventID", default="")


_decoder = msgspec.json.Decoder(_Named)


def known_events(
    place: Place, times: Mapping[str, str], *, index: SegmentIndex, files: SegmentFiles
) -> set[str]:
    """Which of these events history holds.

    One pass over the index for all of a day; only segments that may hold one are
    read, so that no event is taken for known because of a hash. A segment whose
    file is missing or damaged knows nothing: better an event twice than lost.

    Args:
        place: account and Region of all.
        times: eventID -> eventTime.
        index: the index of segments.
        files: their files.

    Raises:
        StorageError: the index or a file could not be read.
    """
    by_day: dict[str, dict[str, str]] = {}  # a single old event must not make the pass one over 90 days
    for event_id, time in times.items():
        by_day.setdefault(time[:_DAY_CHARACTERS], {})[event_id] = time
    return {
        event_id
        for of_day in by_day.values()
        for event_id in _known_of_a_day(place, of_day, index=index, files=files)
    }


def _known_of_a_day(
    place: Place, times: Mapping[str, str], *, index: SegmentIndex, files: SegmentFiles
) -> Iterator[str]:
    start, end = min(times.values()), max(times.values())
    wanted = set(times)
    entries = (
        entry
        for entry in index.entries(place, start=start, end=end)
        if entry.newest >= start and entry.oldest <= end and _may_hold(entry, wanted)
    )
    while wanted and (group := list(islice(entries, _AT_ONCE))):
        found = wanted.intersection(_event_ids(files.read_all(group)))
        yield from found
        wanted -= found


def _may_hold(entry: IndexEntry, wanted: set[str]) -> bool:
    return any(holds_value(entry.hashes, "EventId", event_id) for event_id in wanted)


def _event_ids(bodies: Sequence[bytes | None]) -> Iterator[str]:
    for body in bodies:
        try:
            records = [] if body is None else split_records(decompress(body))
        except FormatError:
            continue
        yield from map(_event_id, records)


def _event_id(raw: bytes) -> str:
    try:
        return _decoder.decode(raw).event_id
    except (msgspec.DecodeError, RecursionError):
        return read_record(raw).event_id
