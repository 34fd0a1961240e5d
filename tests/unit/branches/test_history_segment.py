"""The index item of a history file: it never misses a value, and counts by the minute."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from opentrail.branches.history import build_segment, holds_value
from opentrail.branches.history.attributes import read_records, values_of
from opentrail.model.history import Segment
from tests.support.records import make_record, to_bytes
from tests.support.values import HOME, make_log_file

names = st.text("abcdef", min_size=1, max_size=6)
records = st.lists(
    st.builds(
        lambda event_id, name, source, read_only: make_record(
            eventID=event_id, eventName=name, eventSource=source, readOnly=read_only
        ),
        names,
        names,
        names,
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


def segment(*found: dict[str, Any], pieces: int = 1) -> Segment:
    lines = [to_bytes(record) for record in found]
    return build_segment(
        HOME, make_log_file(), [b"\n".join(lines[i::pieces]) for i in range(pieces) if lines[i::pieces]]
    )


def counts(found: Segment) -> dict[str, dict[str, int]]:
    return msgspec.json.decode(zlib.decompress(found.counts), type=dict[str, dict[str, int]])


@given(found=records, pieces=st.integers(1, 3))
def test_an_index_holds_every_value_of_its_records(found: list[dict[str, Any]], pieces: int) -> None:
    hashes = segment(*found, pieces=pieces).hashes
    values = values_of(read_records(b"\n".join(to_bytes(record) for record in found)))

    assert all(holds_value(hashes, name, value) for name, wanted in values.items() for value in wanted)


def test_an_index_denies_what_is_not_there() -> None:
    hashes = segment(make_record(eventName="CreateUser")).hashes

    assert holds_value(hashes, "EventName", "CreateUser")
    assert not holds_value(hashes, "EventName", "DeleteUser")
    assert not holds_value(hashes, "EventSource", "CreateUser")


@given(found=records)
def test_an_index_is_ascending_and_names_each_value_once(found: list[dict[str, Any]]) -> None:
    hashes = segment(*found).hashes
    numbers = [hashes[at : at + 4] for at in range(0, len(hashes), 4)]

    assert numbers == sorted(set(numbers))


def test_the_same_records_give_the_same_index() -> None:
    found = [make_record(eventID=str(i)) for i in range(5)]

    assert segment(*found) == segment(*found)


def test_management_writes_and_failures_are_counted_by_the_minute() -> None:
    write = {"eventName": "CreateUser", "readOnly": False}
    read = {"eventName": "GetUser", "readOnly": True, "errorCode": "AccessDenied"}
    found = segment(
        make_record(**write, eventTime="2026-01-10T04:20:01Z"),
        make_record(**write, eventTime="2026-01-10T04:20:59Z"),
        make_record(**write, eventTime="2026-01-10T04:21:00Z", errorCode="EntityAlreadyExists"),
        make_record(**read, eventTime="2026-01-10T04:20:30Z"),
        make_record(eventName="PutObject", eventCategory="Data", eventTime="2026-01-10T04:20:30Z"),
        make_record(eventName="GetUser", readOnly=True, eventTime="2026-01-10T04:20:30Z"),
    )

    assert counts(found) == {
        "iam.amazonaws.com\nCreateUser\n": {"2026-01-10T04:20": 2, "2026-01-10T04:21": 1},
        "iam.amazonaws.com\nCreateUser\nEntityAlreadyExists": {"2026-01-10T04:21": 1},
        "iam.amazonaws.com\nGetUser\nAccessDenied": {"2026-01-10T04:20": 1},
    }


def test_a_segment_names_its_file_and_span() -> None:
    file = make_log_file(count=7, oldest="a", newest="b")

    found = build_segment(HOME, file, [to_bytes(make_record())])

    assert (found.place, found.bucket, found.key) == (HOME, file.bucket, file.key)
    assert (found.count, found.oldest, found.newest) == (7, "a", "b")
