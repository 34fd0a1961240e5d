"""Which events came before: asked of history once for a whole file."""

from __future__ import annotations

import pytest

from opentrail.branches.history import known_events
from opentrail.errors import StorageError
from tests.support.history import PLACE, BrokenHistory, FakeHistory
from tests.support.records import make_record
from tests.unit.history.asking import second


def known(history: FakeHistory, **times: str) -> set[str]:
    return known_events(PLACE, times, index=history, files=history)


def add(history: FakeHistory, *event_ids: str, time: str = second(0)) -> str:
    """One segment with these events; its key."""
    return history.add(*[make_record(eventID=event_id, eventTime=time) for event_id in event_ids]).key


def test_those_in_any_segment_are_known_and_no_others(history: FakeHistory) -> None:
    add(history, "a", "b")
    add(history, "c", time=second(60))

    assert known(history, a=second(0), c=second(60), d=second(0)) == {"a", "c"}


def test_segments_that_hold_none_of_them_are_not_read(history: FakeHistory) -> None:
    for number in range(50):
        add(history, f"x{number}")
    add(history, "a")

    assert known(history, a=second(0), b=second(0)) == {"a"}
    assert history.reads == 1


def test_one_pass_over_the_index_serves_a_whole_file(history: FakeHistory) -> None:
    for number in range(20):
        add(history, f"x{number}")

    known(history, **{f"e{number}": second(0) for number in range(1000)})

    assert history.listed == 20


def test_events_of_two_days_are_looked_for_on_their_days(history: FakeHistory) -> None:
    add(history, "old", time="2026-01-09T23:59:59Z")
    add(history, "new", time="2026-01-10T00:00:00Z")

    assert known(history, old="2026-01-09T23:59:59Z", new="2026-01-10T00:00:00Z") == {"old", "new"}


def test_a_segment_whose_file_is_missing_or_damaged_knows_nothing(history: FakeHistory) -> None:
    del history.files[add(history, "a")]
    history.files[add(history, "b")] = b"\x1f\x8bdamaged"
    add(history, "c")

    assert known(history, a=second(0), b=second(0), c=second(0)) == {"c"}


def test_nothing_asked_is_nothing_read(history: FakeHistory) -> None:
    add(history, "a")

    assert (known(history), history.listed, history.reads) == (set(), 0, 0)


def test_an_index_that_does_not_answer_lets_nothing_pass_for_new() -> None:
    with pytest.raises(StorageError):
        known(BrokenHistory(), a=second(0))
