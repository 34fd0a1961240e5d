"""LookupEvents as a client meets it: members, ranges, tokens, errors."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from opentrail.format.times import to_iso
from tests.support.history import BrokenHistory
from tests.support.records import make_record
from tests.unit.api.fakes import NOW, World


@pytest.fixture
def world() -> World:
    return World()


def ask(world: World, **members: Any) -> dict[str, Any]:
    reply = world.ask("LookupEvents", **members)
    assert reply.status == 200, reply.body
    answer: dict[str, Any] = json.loads(reply.body)
    return answer


def refusal(world: World, **members: Any) -> tuple[str, str]:
    reply = world.ask("LookupEvents", **members)
    assert reply.status == 400
    answer = json.loads(reply.body)
    return answer["__type"], answer["Message"]


def event(number: int, **changes: Any) -> dict[str, Any]:
    """An event that many seconds before now."""
    time = to_iso(NOW - timedelta(seconds=number))
    return make_record(eventID=f"e{number:04d}", eventTime=time, **changes)


def ids(answer: dict[str, Any]) -> list[str]:
    return [shown["EventId"] for shown in answer["Events"]]


def by(key: str, value: str) -> list[dict[str, str]]:
    return [{"AttributeKey": key, "AttributeValue": value}]


def test_every_member_of_an_event(world: World) -> None:
    record = event(31)
    world.history.add(record)

    answer = ask(world)

    assert answer == {
        "Events": [
            {
                "EventId": "e0031",
                "EventName": "CreateUser",
                "ReadOnly": "false",
                "AccessKeyId": "AKIAEXAMPLE",
                "EventTime": 1768018800.0,
                "EventSource": "iam.amazonaws.com",
                "Username": "alice",
                "Resources": [{"ResourceType": "AWS::IAM::User", "ResourceName": "bob"}],
                "CloudTrailEvent": json.dumps(record, separators=(",", ":")),
            }
        ]
    }


def test_members_without_a_value_are_left_out(world: World) -> None:
    world.history.add(
        event(1, userIdentity={"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}, requestParameters={})
    )

    (shown,) = ask(world)["Events"]

    assert shown.keys() == {
        *("EventId", "EventName", "ReadOnly", "EventTime", "EventSource", "Resources", "CloudTrailEvent")
    }
    assert shown["Resources"] == []


def test_event_context_never_appears(world: World) -> None:
    record = event(1)
    world.history.add(record | {"eventContext": {"tagContext": {}}})

    (shown,) = ask(world)["Events"]

    assert shown["CloudTrailEvent"] == json.dumps(record, separators=(",", ":"))


def test_insights(world: World) -> None:
    details = {"state": "Start", "eventSource": "ec2.amazonaws.com", "eventName": "RunInstances"}
    insight = {
        "eventID": "i1",
        "eventTime": to_iso(NOW),
        "eventCategory": "Insight",
        "insightDetails": details,
    }
    world.history.add(event(1))
    world.history.add(insight)

    (shown,) = ask(world, EventCategory="insight")["Events"]

    assert shown == {
        "EventId": "i1",
        "EventName": "RunInstances",
        "EventTime": 1768018831.0,
        "EventSource": "ec2.amazonaws.com",
        "Resources": [],
        "CloudTrailEvent": json.dumps(insight, separators=(",", ":")),
    }


def test_the_default_page_is_fifty(world: World) -> None:
    world.history.add(*map(event, range(60)))

    first = ask(world)
    second = ask(world, NextToken=first["NextToken"])

    assert ids(first) + ids(second) == [f"e{number:04d}" for number in range(60)]
    assert len(first["Events"]) == 50
    assert "NextToken" not in second


def test_a_page_may_change_its_size_on_the_way(world: World) -> None:
    world.history.add(*map(event, range(9)))

    first = ask(world, MaxResults=4)

    assert len(ask(world, MaxResults=3, NextToken=first["NextToken"])["Events"]) == 3


def test_ninety_days_are_all(world: World) -> None:
    days = 86_400
    world.history.add(event(91 * days), event(90 * days), event(89 * days))

    assert ids(ask(world)) == [f"e{89 * days}"]
    assert ids(ask(world, StartTime=0)) == [f"e{89 * days}"]


def test_fractions_of_seconds_stay_inside_the_range(world: World) -> None:
    world.history.add(*map(event, range(5)))
    moment = NOW.replace(microsecond=0).timestamp()

    found = ids(ask(world, StartTime=moment - 3.5, EndTime=moment - 0.5))

    assert found == ["e0001", "e0002", "e0003"]


TOKEN_REQUEST = {"LookupAttributes": by("Username", "alice"), "StartTime": 1768000000, "MaxResults": 2}


@pytest.mark.parametrize(
    "changes",
    [
        {"LookupAttributes": by("Username", "bob")},
        {"LookupAttributes": by("EventName", "alice")},
        {"LookupAttributes": []},
        {"StartTime": 1768000001},
        {"EndTime": 1768018831},
        {"EventCategory": "insight", "LookupAttributes": []},
        {"region": "eu-west-1"},
        {"account": "210987654321"},
    ],
)
def test_a_token_is_good_for_its_request_only(world: World, changes: dict[str, Any]) -> None:
    world.history.add(*map(event, range(5)))
    token = ask(world, **TOKEN_REQUEST)["NextToken"]
    assert len(ask(world, **TOKEN_REQUEST, NextToken=token)["Events"]) == 2

    code, _ = refusal(world, **(TOKEN_REQUEST | {"NextToken": token} | changes))

    assert code == "InvalidNextTokenException"


@pytest.mark.parametrize("spoil", [lambda t: t[:-4], lambda t: "A" + t[1:], lambda t: "", lambda t: "é"])
def test_a_changed_token_is_refused(world: World, spoil: Any) -> None:
    world.history.add(*map(event, range(5)))
    token = ask(world, **TOKEN_REQUEST)["NextToken"]

    code, _ = refusal(world, **TOKEN_REQUEST, NextToken=spoil(token))

    assert code == "InvalidNextTokenException"


def test_one_attribute_at_most(world: World) -> None:
    both = by("Username", "alice") + by("EventName", "CreateUser")

    assert refusal(world, LookupAttributes=both) == (
        "InvalidLookupAttributesException",
        "You can specify only one lookup attribute.",
    )


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("x" * 2000, True),
        ("x" * 2001, False),
        ("_" * 1000, True),
        ("_" * 1000 + "x", False),
        (" ," * 500, True),
        (" ,\n" * 334, False),
    ],
)
def test_some_characters_count_twice(world: World, value: str, fits: bool) -> None:
    reply = world.ask("LookupEvents", LookupAttributes=by("ResourceName", value))

    assert (reply.status == 200) is fits
    assert fits or json.loads(reply.body)["__type"] == "InvalidLookupAttributesException"


@pytest.mark.parametrize("key", ["ReadOnly", "Username", "ResourceType", "ResourceName", "AccessKeyId"])
def test_insights_have_three_attributes(world: World, key: str) -> None:
    code, _ = refusal(world, EventCategory="insight", LookupAttributes=by(key, "x"))

    assert code == "InvalidLookupAttributesException"


@pytest.mark.parametrize(
    "members",
    [
        {"StartTime": 2, "EndTime": 1},
        {"EndTime": (NOW - timedelta(days=91)).timestamp()},
        {"StartTime": 0, "EndTime": 1},
    ],
)
def test_impossible_ranges(world: World, members: dict[str, Any]) -> None:
    assert refusal(world, **members)[0] == "InvalidTimeRangeException"


@pytest.mark.parametrize(
    "members", [{"StartTime": 253402300799, "EndTime": 253402300799}, {"EndTime": 253402300799.9}]
)
def test_the_end_of_time_is_no_error(world: World, members: dict[str, Any]) -> None:
    assert ask(world, **members)["Events"] == []


class TwoASecond:
    """A rate that counts."""

    def __init__(self) -> None:
        self.taken: dict[tuple[str, str, datetime], int] = {}

    def take(self, account: str, region: str, now: datetime) -> bool:
        key = (account, region, now)
        self.taken[key] = self.taken.get(key, 0) + 1
        return self.taken[key] <= 2


def test_too_many_lookups_are_throttled_by_account_and_region() -> None:
    world = World(lookup_rate=TwoASecond())

    statuses = [world.ask("LookupEvents").status for _ in range(3)]

    assert statuses == [200, 200, 400]
    assert refusal(world) == ("ThrottlingException", "Rate exceeded")
    assert world.ask("LookupEvents", region="eu-west-1").status == 200
    assert world.ask("LookupEvents", account="210987654321").status == 200
    assert world.ask("LookupEvents", now=NOW + timedelta(seconds=1)).status == 200


def test_an_index_that_does_not_answer_is_our_failure() -> None:
    reply = World(history=BrokenHistory()).ask("LookupEvents")

    assert (reply.status, reply.failure) == (503, "query history: no answer")


def test_trails_have_no_say(world: World) -> None:
    world.history.add(event(1))
    world.create()
    world.call("DeleteTrail", Name="audit")

    assert ids(ask(world)) == ["e0001"]
    assert world.history.reads == 1
