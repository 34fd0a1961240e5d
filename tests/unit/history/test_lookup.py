"""What a lookup promises: everything that fits, newest first, once, and little read for it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opentrail.branches.history.lookup import MAX_READS
from opentrail.errors import StorageError
from opentrail.model.event import Place
from tests.support.history import PLACE, FakeHistory, ids
from tests.support.records import make_record
from tests.unit.history.asking import ask, ask_all, second


def event(number: int, **changes: Any) -> dict[str, Any]:
    return make_record(eventID=f"event-{number:05d}", eventTime=second(number), **changes)


def test_newest_first_over_segments(history: FakeHistory) -> None:
    history.add(event(1), event(2))
    history.add(event(4), event(3))

    assert ids(ask(history).events) == ["event-00004", "event-00003", "event-00002", "event-00001"]


def test_late_events_take_their_place(history: FakeHistory) -> None:
    history.add(event(5), event(6))
    history.add(event(1), event(9))

    assert ids(ask(history).events) == ["event-00009", "event-00006", "event-00005", "event-00001"]


def test_an_event_recorded_twice_is_answered_once(history: FakeHistory) -> None:
    for _ in range(3):
        history.add(event(1), event(2), event(2))

    assert ask_all(history, limit=1) == ["event-00002", "event-00001"]


def test_pages_go_on_where_they_ended(history: FakeHistory) -> None:
    history.add(*map(event, range(5)))

    first = ask(history, limit=2)
    second_page = ask(history, limit=2, after=first.last)
    third = ask(history, limit=2, after=second_page.last)

    assert [ids(page.events) for page in (first, second_page, third)] == [
        ["event-00004", "event-00003"],
        ["event-00002", "event-00001"],
        ["event-00000"],
    ]
    assert third.last is None


def test_a_full_last_page_has_no_next(history: FakeHistory) -> None:
    history.add(event(1), event(2))

    assert ask(history, limit=2).last is None


def test_events_that_arrive_between_pages_do_not_move_them(history: FakeHistory) -> None:
    history.add(event(1), event(2), event(3))
    first = ask(history, limit=2)
    history.add(event(4))

    assert ids(ask(history, limit=2, after=first.last).events) == ["event-00001"]


def test_both_ends_of_a_range_belong_to_it(history: FakeHistory) -> None:
    history.add(*map(event, range(6)))

    assert ask_all(history, start=second(2), end=second(4)) == ["event-00004", "event-00003", "event-00002"]


def test_a_range_that_is_empty_reads_nothing(history: FakeHistory) -> None:
    history.add(event(1))

    assert ask(history, start=second(3), end=second(2)).events == []
    assert history.listed == 0


def test_segments_outside_the_range_are_not_read(history: FakeHistory) -> None:
    for number in range(10):
        history.add(event(number))

    assert ask_all(history, start=second(4), end=second(4)) == ["event-00004"]
    assert history.reads == 1


def test_accounts_and_regions_do_not_mix(history: FakeHistory) -> None:
    history.add(event(1))
    history.add(event(2), place=Place("210987654321", "us-east-1"))
    history.add(event(3), place=PLACE._replace(region="eu-west-1"))

    assert ask_all(history) == ["event-00001"]


def test_insights_are_answered_only_when_asked_for(history: FakeHistory) -> None:
    details = {"eventName": "RunInstances", "eventSource": "ec2.amazonaws.com", "state": "Start"}
    insight = {
        "eventID": "insight",
        "eventTime": second(2),
        "eventCategory": "Insight",
        "insightDetails": details,
    }
    history.add(event(1))
    history.add(insight)

    assert ask_all(history) == ["event-00001"]
    assert ask_all(history, insights=True) == ["insight"]
    assert ask_all(history, insights=True, attribute="EventName", value="RunInstances") == ["insight"]
    assert ask_all(history, insights=True, attribute="EventSource", value="s3.amazonaws.com") == []


def test_a_file_that_is_not_stored_yet_is_passed_over(history: FakeHistory) -> None:
    history.add(event(1))
    pending = history.add(event(2))
    del history.files[pending.key]

    assert ask_all(history) == ["event-00001"]


def test_a_damaged_file_is_an_error_that_names_it(history: FakeHistory) -> None:
    damaged = history.add(event(1))
    history.files[damaged.key] = history.files[damaged.key][:-4]

    with pytest.raises(StorageError, match=damaged.key):
        ask(history)


@pytest.mark.parametrize("time", ["", "10 Jan 2026", "2026-01-10"])
def test_a_record_without_a_usable_time_counts_as_its_segments_newest(
    history: FakeHistory, time: str
) -> None:
    lines = [json.dumps(event(n) | {"eventTime": time}).encode() for n in (1, 2)]
    history.add_lines(lines, [second(1), second(2)])

    assert [found.time for found in ask(history).events] == [second(2), second(2)]


# Attributes

WHO = {
    "type": "AssumedRole",
    "arn": "arn:aws:sts::123456789012:assumed-role/Deploy/ci",
    "accessKeyId": "ASIAEXAMPLE",
}


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("EventId", "wanted"),
        ("EventName", "DeleteTrail"),
        ("ReadOnly", "true"),
        ("Username", "ci"),
        ("ResourceType", "AWS::CloudTrail::Trail"),
        ("ResourceName", "audit"),
        ("EventSource", "cloudtrail.amazonaws.com"),
        ("AccessKeyId", "ASIAEXAMPLE"),
    ],
)
def test_each_attribute_finds_its_events_and_reads_no_other_file(
    history: FakeHistory, attribute: str, value: str
) -> None:
    for number in range(20):
        history.add(event(number))
    history.add(
        make_record(
            eventID="wanted",
            eventTime=second(7),
            eventSource="cloudtrail.amazonaws.com",
            eventName="DeleteTrail",
            readOnly=True,
            userIdentity=WHO,
            requestParameters={"name": "audit"},
        )
    )
    history.add(event(30))

    found = ask(history, attribute=attribute, value=value)

    assert ids(found.events) == ["wanted"]
    assert history.reads == 1


@pytest.mark.parametrize("value", ["createuser", "CreateUse", "CreateUser ", "Create*"])
def test_values_are_compared_whole_and_by_case(history: FakeHistory, value: str) -> None:
    history.add(event(1))

    assert ask_all(history, attribute="EventName", value=value) == []


def test_an_event_id_that_carries_its_time_goes_straight_to_its_segment(history: FakeHistory) -> None:
    moment = 1768017602  # 2026-01-10T04:00:02Z
    name = str(uuid.UUID(int=(moment * 1000) << 80 | 0x7 << 76 | 2 << 62 | 42))
    for number in range(100):
        history.add(event(3600 + number))
    history.add(make_record(eventID=name, eventTime=second(2)))

    assert ask_all(history, attribute="EventId", value=name) == [name]
    assert history.reads == 1


def test_an_event_id_whose_time_is_not_its_events_is_found_all_the_same(history: FakeHistory) -> None:
    name = "01987654-3210-7abc-8def-0123456789ab"
    history.add(make_record(eventID=name, eventTime=second(2)))

    assert ask_all(history, attribute="EventId", value=name) == [name]


def test_a_segment_without_hashes_is_read(history: FakeHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opentrail.branches.history.segment.MAX_HASHES_BYTES", 8)
    assert history.add(event(1)).hashes == b""

    assert ask_all(history, attribute="EventName", value="CreateUser") == ["event-00001"]


# Cost


def test_a_page_reads_no_more_files_than_it_has_room(history: FakeHistory) -> None:
    for number in range(0, 1000, 5):
        history.add(event(number, eventName="Rare"), event(number + 4))

    page = ask(history, attribute="EventName", value="Rare")

    assert ids(page.events) == [f"event-{number:05d}" for number in range(995, 745, -5)]
    assert history.reads == MAX_READS


def test_a_dense_page_reads_one_file(history: FakeHistory) -> None:
    for number in range(10):
        history.add(*(event(100 * number + n) for n in range(80)))

    assert len(ask(history).events) == 50
    assert history.reads == 1


def test_short_pages_still_lead_to_everything(history: FakeHistory) -> None:
    # Every file reaches up to the newest second, so all must be read before anything is known.
    for number in range(MAX_READS + 20):
        history.add(event(number), event(5000 + number % 2))

    assert len(ask_all(history)) == MAX_READS + 20 + 2


def test_the_index_is_read_no_further_than_needed(history: FakeHistory) -> None:
    for number in range(500):
        history.add(*(event(10 * number + n) for n in range(10)))

    ask(history)

    assert history.listed < 20


# For all inputs


NAMES = ("A", "B", "C")
segments = st.lists(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 60), st.sampled_from(NAMES)), min_size=1, max_size=6
    ),
    max_size=12,
)


@given(
    segments=segments,
    span=st.tuples(st.integers(0, 40), st.integers(0, 40)),
    name=st.sampled_from(["", *NAMES]),
    limit=st.integers(1, 7),
)
@settings(max_examples=80, deadline=None)
def test_pages_together_are_what_a_plain_search_finds(
    segments: Sequence[Sequence[tuple[int, int, str]]], span: tuple[int, int], name: str, limit: int
) -> None:
    history = FakeHistory()
    facts: dict[tuple[str, str], str] = {}
    for segment in segments:
        records = []
        for moment, number, called in segment:
            key = (second(moment), f"{number:03d}")
            called = facts.setdefault(key, called)
            records.append(make_record(eventTime=key[0], eventID=key[1], eventName=called))
        history.add(*records)
    start, end = second(min(span)), second(max(span))

    asked = {"attribute": "EventName", "value": name} if name else {}
    found = ask_all(history, start=start, end=end, limit=limit, **asked)

    fits = [key for key, called in facts.items() if start <= key[0] <= end and (not name or called == name)]
    assert found == [number for _, number in sorted(fits, reverse=True)]
