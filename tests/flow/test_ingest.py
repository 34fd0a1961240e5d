"""CloudTrail's own files as a second way in: each event once, whatever dies and whatever comes twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from opentrail.errors import StorageError
from opentrail.format import log_file
from opentrail.format.times import to_iso
from tests.flow.test_crashes import fuses
from tests.support.crash import Crash
from tests.support.line import Line
from tests.support.records import BOTH_KINDS, envelope, make_data_record, make_record, to_bytes


def some_records(count: int = 8) -> dict[str, bytes]:
    """Management and data events in turn, by eventID: more than one chunk of each."""
    filler = {"requestParameters": {"text": "x" * 1500}}
    made = [(make_record, make_data_record)[number % 2](**filler) for number in range(count)]
    return {record["eventID"]: to_bytes(record) for record in made}


def start(line: Line, name: str = "main") -> None:
    line.start_trail(name, started_at=1.0, event_selectors=BOTH_KINDS)


def attempt(line: Line, notice: str, **options: Any) -> None:
    """Run the function as Lambda would: a process that dies, or raises, acknowledges nothing."""
    try:
        line.ingest(notice, **options)
    except (Crash, StorageError):
        return


def deliver(line: Line) -> None:
    line.deliver(line.queued_chunks())


def in_history(line: Line) -> list[str]:
    """Every eventID in history, as often as it is there."""
    bodies = line.objects(line.history_bucket).values()
    return sorted(str(record["eventID"]) for body in bodies for record in log_file.parse_records(body))


@pytest.mark.parametrize("delivered_before", [False, True], ids=["chunks-wait", "chunks-delivered"])
@pytest.mark.parametrize("after", [False, True], ids=["before-the-call", "after-it"])
def test_ingest_survives_a_crash_at_every_call(
    clients: Callable[[str], Any], after: bool, delivered_before: bool
) -> None:
    for fuse in fuses(after, refuse=False):
        line = Line(clients)
        start(line)
        records = some_records()
        notice = line.put_source_file(*records.values())

        attempt(line, notice, fuse=fuse)
        if delivered_before:
            deliver(line)
        line.ingest(notice)
        deliver(line)

        assert line.delivered_ids() == dict.fromkeys(records, 1)


def test_a_notice_that_comes_again_adds_nothing_however_late(line: Line) -> None:
    start(line)
    records = some_records()
    notice = line.put_source_file(*records.values())

    for _ in range(3):
        line.ingest(notice)
        deliver(line)
        line.wait(days=4)

    assert line.delivered_ids() == dict.fromkeys(records, 1)


def test_both_ways_at_once_give_each_event_once(line: Line) -> None:
    start(line)
    records = some_records()
    by_event_bridge = [raw for raw in records.values() if b'"Management"' in raw]
    line.record(envelope(raw) for raw in by_event_bridge)
    deliver(line)

    (ingested,) = line.ingest(line.put_source_file(*records.values()))
    deliver(line)

    assert (ingested.known, ingested.events) == (4, 4)
    assert line.delivered_ids() == dict.fromkeys(records, 1)
    assert len(in_history(line)) == 4


def test_event_bridges_copy_that_comes_hours_after_the_file_is_left_out(line: Line) -> None:
    line.asked_history = line.ingest_settings().history_table
    start(line)
    records = some_records()
    line.ingest(line.put_source_file(*records.values()))
    deliver(line)
    line.wait(hours=3)
    fresh = to_bytes(make_record(eventID="fresh", eventTime=to_iso(line.now)))

    line.record(envelope(raw) for raw in (*records.values(), fresh) if b'"Management"' in raw)
    deliver(line)

    assert line.delivered_ids() == dict.fromkeys([*records, "fresh"], 1)


def test_a_late_event_that_no_file_brought_is_recorded(line: Line) -> None:
    line.asked_history = line.ingest_settings().history_table
    start(line)
    line.wait(hours=3)

    line.record([envelope(to_bytes(make_record(eventID="late")))])
    deliver(line)

    assert line.delivered_ids() == {"late": 1}


def test_an_event_in_two_files_is_once_in_history_and_files(line: Line) -> None:
    start(line)
    raw = to_bytes(make_record(eventID="e"))
    first, second = line.put_source_file(raw), line.put_source_file(raw, token="another0another0")

    for notice in (first, second):
        line.ingest(notice)
        deliver(line)

    assert line.delivered_ids() == {"e": 1}


def test_a_trail_that_starts_between_two_attempts_doubles_nothing_for_the_others(line: Line) -> None:
    start(line)
    records = some_records()
    notice = line.put_source_file(*records.values())
    line.ingest(notice)
    chunks = line.queued_chunks()
    start(line, "second")

    line.ingest(notice)
    line.deliver([*chunks, *line.queued_chunks()])

    copies = line.delivered_ids()  # the bucket is that of both trails
    assert set(copies) == set(records)
    assert max(copies.values()) == 2
    assert len(in_history(line)) == 4
