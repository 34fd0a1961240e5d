"""For all histories: what is looked for in blocks and beside them is what a plain search finds."""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from opentrail.adapters.aws import items
from opentrail.adapters.aws.history import DynamoSegments, S3SegmentFiles
from opentrail.adapters.aws.history_blocks import DynamoBlocks
from opentrail.branches.history import Lookup, Position, bind_segments, build_segment, find_events
from opentrail.format.keys import LOGS, log_key
from opentrail.format.log_file import build_log_file
from opentrail.format.times import from_epoch, to_iso
from opentrail.model.log_file import LogFile
from tests.support.history import PLACE
from tests.support.memory_table import MemoryTable
from tests.support.records import make_record, to_bytes

DAY = 1767916800  # 2026-01-09T00:00:00Z
HOUR = 3600
Key = tuple[str, str]  # eventTime, eventID


@dataclass
class History:
    """An index and files in memory."""

    table: MemoryTable = field(default_factory=MemoryTable)
    bodies: dict[str, bytes] = field(default_factory=dict)
    tokens: Any = field(default_factory=itertools.count)

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.bodies[Key])}

    def add(self, created_hour: int, records: list[dict[str, Any]]) -> None:
        created = DAY + created_hour * HOUR
        times = sorted(record["eventTime"] for record in records)
        piece = b"\n".join(map(to_bytes, records))
        sha256, body = build_log_file([piece], quick=True)
        key = log_key(
            prefix="history",
            organization="",
            place=PLACE,
            folder=LOGS,
            delivered=from_epoch(created),
            token=f"{next(self.tokens):016d}",
        )
        file = LogFile(
            bucket="past",
            key=key,
            sha256=sha256,
            count=len(records),
            oldest=times[0],
            newest=times[-1],
            created_at=created,
        )
        self.bodies[key] = body
        segment = build_segment(PLACE, file, [piece])
        for item in items.segment_items(segment, created_at=created, expires=created):
            self.table.put(item)

    def bind(self, *, min_events: int, before_hour: int) -> None:
        cabinet, end = DynamoBlocks(self.table, "history"), DAY + before_hour * HOUR
        bind_segments(PLACE, start=0, end=end, cabinet=cabinet, min_events=min_events)

    def find(self, **asked: Any) -> list[Key]:
        """All pages."""
        index, files = DynamoSegments(self.table, "history"), S3SegmentFiles(self)
        found: list[Key] = []
        after: Position | None = None
        while True:
            page = find_events(Lookup(place=PLACE, after=after, **asked), index=index, files=files)
            found += [event.position for event in page.events]
            if (after := page.last) is None:
                return found


events = st.tuples(
    st.integers(-45, 1),  # hours from its segment's creation: some come late enough to stand apart
    st.integers(0, 30),  # eventID
    st.sampled_from(["Get", "Put", "List"]),
)
segments = st.lists(
    st.tuples(st.integers(0, 20 * 24), st.lists(events, min_size=1, max_size=4)), min_size=1, max_size=14
)


@given(
    segments=segments,
    bound=st.lists(st.tuples(st.integers(1, 6), st.integers(0, 21 * 24)), max_size=2),
    span=st.tuples(st.integers(-48, 21 * 24), st.integers(-48, 21 * 24)),
    asked=st.sampled_from(
        [("", ""), ("EventName", "Get"), ("EventName", "None"), ("EventId", "7"), ("Username", "alice")]
    ),
    limit=st.integers(1, 5),
)
@settings(max_examples=100, deadline=None)
def test_blocks_hide_nothing_and_add_nothing(
    segments: list[tuple[int, list[tuple[int, int, str]]]],
    bound: list[tuple[int, int]],
    span: tuple[int, int],
    asked: tuple[str, str],
    limit: int,
) -> None:
    history, names = History(), dict[Key, str]()
    for created, members in segments:
        records = []
        for hours, number, name in members:
            key = (to_iso(from_epoch(DAY + (created + hours) * HOUR)), str(number))
            called = names.setdefault(key, name)
            records.append(make_record(eventTime=key[0], eventID=key[1], eventName=called))
        history.add(created, records)
    start, end = (to_iso(from_epoch(DAY + hour * HOUR)) for hour in sorted(span))

    for min_events, before_hour in bound:
        history.bind(min_events=min_events, before_hour=before_hour)
    attribute, value = asked
    found = history.find(start=start, end=end, attribute=attribute, value=value, limit=limit)

    def fits(key: Key) -> bool:
        of_attribute = {"EventName": names[key] == value, "EventId": key[1] == value}
        return start <= key[0] <= end and of_attribute.get(attribute, True)

    expected = sorted(filter(fits, names), reverse=True)
    assert found == (expected[:1] if attribute == "EventId" else expected)
