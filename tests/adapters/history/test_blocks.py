"""Blocks in DynamoDB: what is in one is found and counted as before, at a fraction of the reading."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from opentrail.adapters.aws import history_blocks, items
from opentrail.adapters.aws.history_blocks import DynamoBlocks
from opentrail.adapters.aws.insights import DynamoInsights
from opentrail.branches.history import bind_segments, known_events
from opentrail.branches.history.blocks import drawer_of
from opentrail.branches.history.segment import hash_value
from opentrail.branches.insights.series import Scope, Series
from opentrail.errors import ConflictError
from opentrail.format.times import to_iso
from tests.adapters.history.looking import EARLY, LATE, entries, files, index, look, record
from tests.support.crash import Crash, Fuse, FusedClient
from tests.support.history import PLACE, ids
from tests.support.line import START, Line

ALL = {"start": 0.0, "end": 2e9}


def cabinet(line: Line, fuse: Fuse | None = None) -> DynamoBlocks:
    client = line.client("dynamodb")
    return DynamoBlocks(FusedClient(client, fuse) if fuse else client, f"{line.name}-history")


def bind(line: Line, fuse: Fuse | None = None, **changes: Any) -> int:
    """Make blocks of all there is, of two events or more."""
    return bind_segments(PLACE, cabinet=cabinet(line, fuse), **{**ALL, "min_events": 2, **changes})


def stored(line: Line, pk: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = line.client("dynamodb").query(
        TableName=f"{line.name}-history",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": pk}},
    )["Items"]
    return found


@pytest.fixture
def days(line: Line) -> Line:
    """Six days of one segment each; a day's two events share all values but their eventIDs."""
    for day in range(6):
        record(line, day, 10 + day, eventName=f"Call{day}", readOnly=day % 2 == 0)
        line.wait(days=1)
    return line


@pytest.mark.parametrize("min_events", [2, 12], ids=["a block a day", "one block"])
def test_events_in_blocks_are_found_as_before(days: Line, min_events: int) -> None:
    asked: list[dict[str, Any]] = [
        {},
        {"attribute": "EventName", "value": "Call3"},
        {"attribute": "EventName", "value": "Call9"},
        {"attribute": "EventId", "value": "e12"},
        {"attribute": "ReadOnly", "value": "true"},
        {"attribute": "Username", "value": "alice"},
        {"attribute": "AccessKeyId", "value": "AKIAEXAMPLE", "limit": 3},
        {"attribute": "ResourceType", "value": "AWS::IAM::User", "start": to_iso(START + timedelta(days=2))},
        {"end": to_iso(START + timedelta(days=2))},
        {"start": to_iso(START + timedelta(days=5, minutes=-1)), "end": LATE},
    ]
    before = [look(days, **changes) for changes in asked]

    assert bind(days, min_events=min_events) == 6

    assert [look(days, **changes) for changes in asked] == before


def test_newer_segments_are_found_beside_blocks(days: Line) -> None:
    bind(days)
    record(days, 6, eventName="Call3")

    assert ids(look(days, attribute="EventName", value="Call3").events) == ["e6", "e3", "e13"]
    assert ids(look(days, attribute="EventId", value="e6").events) == ["e6"]
    assert len(look(days).events) == 13


def test_a_lookup_reads_only_the_files_that_have_the_value(days: Line) -> None:
    bind(days)

    value = hash_value("EventName", "Call3")
    found = list(index(days).entries(PLACE, start=EARLY, end=LATE, holding=value))

    assert [(entry.count, entry.newest) for entry in found] == [
        (2, to_iso(START + timedelta(days=3, minutes=15)))
    ]
    assert len(entries(days)) == 6


def test_entries_of_blocks_and_others_come_newest_first_and_keep_their_promise(days: Line) -> None:
    bind(days, min_events=4)
    for number in range(3):
        record(days, 20 + number)

    found = entries(days)

    assert [entry.newest for entry in found] == sorted((e.newest for e in found), reverse=True)
    assert all(later.newest <= entry.horizon for entry, later in zip(found, found[1:], strict=False))


def test_a_value_lies_in_one_drawer_of_each_block(days: Line) -> None:
    bind(days, min_events=4)

    drawers = [stored(days, items.drawer_pk(PLACE, number)) for number in range(64)]

    shared = drawer_of(hash_value("Username", "alice"))
    assert len(drawers[shared]) == len(stored(days, items.block_pk(PLACE))) == 3
    assert sum(len(item["rows"]["B"]) for items_ in drawers for item in items_) == 5 * 6 * 9


def test_what_came_a_second_time_is_known_from_blocks_too(days: Line) -> None:
    bind(days)
    times = {name: to_iso(START + timedelta(days=3, minutes=15)) for name in ("e3", "e13", "new")}

    assert known_events(PLACE, times, index=index(days), files=files(days)) == {"e3", "e13"}


def test_many_blocks_are_read_a_few_at_a_time(days: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_blocks, "FIRST_PAGE", 1)
    monkeypatch.setattr(history_blocks, "MOST_AT_ONCE", 2)
    bind(days)

    found = look(days, attribute="Username", value="alice")

    assert len(found.events) == 12


def test_a_block_without_its_list_is_passed_over(days: Line) -> None:
    bind(days)
    newest = stored(days, items.block_pk(PLACE))[-1]
    key = {name: newest[name] for name in ("pk", "sk")}
    days.client("dynamodb").delete_item(TableName=f"{days.name}-history", Key=key)

    assert len(look(days, attribute="Username", value="alice").events) == 10


def test_segments_that_stand_apart_stay_so(line: Line) -> None:
    record(line, 1, 2, late=timedelta(days=20))

    assert bind(line) == 0

    assert ids(look(line, attribute="EventId", value="e1").events) == ["e1"]


def test_everything_of_a_block_goes_when_its_last_segment_does(days: Line) -> None:
    bind(days, min_events=12)

    (block,) = stored(days, items.block_pk(PLACE))

    last = max(item["expires"]["N"] for item in stored(days, items.bound_pk(PLACE)))
    drawers = [item for n in range(64) for item in stored(days, items.drawer_pk(PLACE, n))]
    assert {item["expires"]["N"] for item in [block, *drawers]} == {last}


# What Insights counted


Ask = Callable[[DynamoInsights], object]
SCOPE = Scope(PLACE)
ASKED: dict[str, Ask] = {
    "counts": lambda of: of.counts(SCOPE, created_from=0, created_to=2e9),
    "callers": lambda of: sorted(of.callers(SCOPE, created_from=0, created_to=2e9)),
    "oldest": lambda of: of.oldest(SCOPE),
    "counts of one": lambda of: of.counts_of(
        Series(PLACE, "iam.amazonaws.com", "Call3", ""), first=0, end=30_000_000
    ),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_insights_counts_the_same(days: Line, ask: Ask) -> None:
    insights = DynamoInsights(days.client("dynamodb"), f"{days.name}-history")
    before = ask(insights)
    assert before

    bind(days, end=(START + timedelta(days=4)).timestamp())

    assert ask(insights) == before


def test_insights_counts_a_segment_once_that_moves_between_its_queries(days: Line) -> None:
    client = days.client("dynamodb")

    class Meanwhile:
        """Makes blocks when the loose segments have been read."""

        def query(self, **call: Any) -> dict[str, Any]:
            answer: dict[str, Any] = client.query(**call)
            if call["ExpressionAttributeValues"][":pk"]["S"] == items.segment_pk(PLACE):
                bind(days)
            return answer

    before = ASKED["counts"](DynamoInsights(client, f"{days.name}-history"))

    assert ASKED["counts"](DynamoInsights(Meanwhile(), f"{days.name}-history")) == before


# Crashes and races


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", [1, 2, 3])  # one query, and a transaction for each block
def test_a_crash_at_any_call_loses_and_doubles_nothing(days: Line, call: int, after: bool) -> None:
    insights = DynamoInsights(days.client("dynamodb"), f"{days.name}-history")
    events, counts = look(days).events, ASKED["counts"](insights)

    with pytest.raises(Crash):
        bind(days, Fuse(call, after=after), min_events=6)

    assert look(days).events == events
    assert ASKED["counts"](insights) == counts
    left = bind(days, min_events=6)
    assert left == 6 - 3 * max(call - 2 + after, 0)
    assert look(days).events == events
    assert ASKED["counts"](insights) == counts


def test_of_two_runs_at_once_one_makes_the_block(days: Line) -> None:
    both = list(cabinet(days).loose(PLACE, **ALL))

    cabinet(days).bind(PLACE, both[:4], {})
    with pytest.raises(ConflictError):
        cabinet(days).bind(PLACE, both[3:], {})

    assert [segment.id for segment in cabinet(days).loose(PLACE, **ALL)] == [s.id for s in both[4:]]
