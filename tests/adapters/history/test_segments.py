"""The index in DynamoDB and the files in S3, written by the very line that delivers them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from opentrail.adapters.aws import history as adapter
from opentrail.adapters.aws.history import DynamoLookupRate, DynamoSegments, S3Places
from opentrail.branches.history import roll_up
from opentrail.errors import ConflictError, StorageError
from opentrail.format.times import from_iso, to_iso
from opentrail.model.event import Place
from tests.adapters.history.looking import EARLY, LATE, entries, files, index, look, record
from tests.support.history import PLACE, ids
from tests.support.line import START, Line
from tests.support.records import envelope, make_record, to_bytes


def test_delivered_events_are_found(line: Line) -> None:
    record(line, 1, 2)
    record(line, 3, eventName="DeleteUser")

    assert ids(look(line).events) == ["e3", "e2", "e1"]
    assert ids(look(line, attribute="EventName", value="CreateUser").events) == ["e2", "e1"]
    assert ids(look(line, place=Place("210987654321", "us-east-1")).events) == []


def test_entries_come_newest_first_and_keep_their_promise(line: Line) -> None:
    for number in range(4):
        record(line, number)

    found = entries(line)

    assert [entry.newest for entry in found] == sorted((e.newest for e in found), reverse=True)
    assert all(later.newest <= entry.horizon for entry, later in zip(found, found[1:], strict=False))


def test_a_range_reads_only_entries_that_can_matter(line: Line) -> None:
    record(line, 1)
    line.wait(days=5)
    record(line, 2)
    line.wait(days=5)
    record(line, 3)

    middle = to_iso(START + timedelta(days=5))

    assert len(entries(line, start=middle, end=middle)) == 1
    assert len(entries(line)) == 3


def test_an_event_that_came_very_late_is_found_in_its_range(line: Line) -> None:
    record(line, 1, late=timedelta(days=20))
    moment = to_iso(START - timedelta(days=20))

    assert ids(look(line, start=moment, end=moment).events) == ["e1"]
    assert len(entries(line)) == 1


def test_an_event_of_tomorrow_is_found(line: Line) -> None:
    record(line, 1, late=-timedelta(days=1))
    record(line, 2)

    assert ids(look(line).events) == ["e1", "e2"]


@pytest.mark.parametrize("time", ["2026-02-31T00:00:00Z", "2026-13-01T00:00:00Z"])
def test_a_day_there_never_was_does_not_stop_delivery(line: Line, time: str) -> None:
    line.record([envelope(to_bytes(make_record(eventID="odd", eventTime=time)))])
    line.deliver(line.queued_chunks())

    assert ids(look(line, end=LATE).events) == ["odd"]


def test_more_entries_than_a_page_of_the_table(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "FIRST_PAGE", 2)
    for number in range(5):
        record(line, number)

    assert ids(look(line).events) == ["e4", "e3", "e2", "e1", "e0"]


def test_files_come_in_the_order_asked_and_none_for_those_not_there(line: Line) -> None:
    for number in range(12):
        record(line, number)
    found = entries(line)
    line.client("s3").delete_object(Bucket=found[3].bucket, Key=found[3].key)

    bodies = files(line).read_all(found)

    assert [body is None for body in bodies] == [number == 3 for number in range(12)]
    assert bodies[5] == files(line).read_all(found[5:6])[0]


def test_what_the_stores_refuse_is_a_storage_error(line: Line) -> None:
    missing = DynamoSegments(line.client("dynamodb"), "nowhere")

    with pytest.raises(StorageError, match="nowhere"):
        list(missing.entries(PLACE, start=EARLY, end=LATE))
    with pytest.raises(StorageError, match="s3://nowhere/"):
        list(S3Places(line.client("s3"), "nowhere").places())


def test_lookups_are_counted_by_second_account_and_region(line: Line) -> None:
    rate = DynamoLookupRate(line.client("dynamodb"), f"{line.name}-history", per_second=2)
    moment = from_iso("2026-01-10T04:20:31Z")

    assert [rate.take("123456789012", "us-east-1", moment) for _ in range(4)] == [True, True, False, False]
    assert rate.take("123456789012", "eu-west-1", moment)
    assert rate.take("210987654321", "us-east-1", moment)
    assert rate.take("123456789012", "us-east-1", moment + timedelta(seconds=1))
    assert entries(line) == []


# Roll-up


def roll(line: Line) -> tuple[int, int]:
    """Roll up the first day; how many segments became how many."""
    midnight = START.replace(hour=0, minute=0)
    tokens = iter(f"{number:016d}" for number in range(99))
    done = roll_up(
        PLACE,
        start=midnight.timestamp(),
        end=(midnight + timedelta(days=1)).timestamp(),
        shelf=index(line),
        files=files(line),
        new_token=lambda: next(tokens),
        max_events=1000,
    )
    return done.before, done.after


def test_rolled_up_events_are_found_as_before(line: Line) -> None:
    for number in range(6):
        record(line, number, 100 + number, eventName=f"Call{number}")
    line.wait(days=1)
    record(line, 6)
    before = ids(look(line).events)

    assert roll(line) == (6, 1)

    assert ids(look(line).events) == before
    assert ids(look(line, attribute="EventName", value="Call3").events) == ["e3", "e103"]
    assert len(entries(line)) == 2


def test_old_files_outlive_their_entries(line: Line) -> None:
    record(line, 1)
    record(line, 2)
    read_before = entries(line)
    roll(line)

    assert None not in files(line).read_all(read_before)


def test_segments_that_stand_apart_are_left_alone(line: Line) -> None:
    record(line, 1, late=timedelta(days=20))
    record(line, 2, late=timedelta(days=20))

    assert roll(line) == (0, 0)


def test_a_swap_of_what_is_gone_changes_nothing(line: Line) -> None:
    record(line, 1)
    record(line, 2)
    stale = list(index(line).shelved(PLACE, start=0, end=2e9))
    index(line).swap(PLACE, stale[:1], None, created_at=0, expires=0)

    with pytest.raises(ConflictError):
        index(line).swap(PLACE, stale, None, created_at=0, expires=0)
    assert len(entries(line)) == 1


def test_places_are_the_folders_of_the_bucket(line: Line) -> None:
    record(line, 1)
    abroad = make_record(eventID="x", awsRegion="eu-west-1")
    line.record([envelope(to_bytes(abroad), region="eu-west-1")])
    line.deliver(line.queued_chunks())

    found = S3Places(line.client("s3"), line.history_bucket).places()

    assert sorted(found) == [Place("123456789012", "eu-west-1"), PLACE]
