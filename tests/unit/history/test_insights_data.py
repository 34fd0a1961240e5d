"""ListInsightsData as a client meets it: whose Insights, in what order, by page, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from opentrail.format.times import to_iso
from tests.support.records import make_record
from tests.unit.api.fakes import ABROAD, ACCOUNT, HOME, NOW, World

ARN = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/audit"
BOTH = [
    {"ReadWriteType": "All", "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]},
]


def insight(number: int, *, trail: str = "", **details: Any) -> dict[str, Any]:
    """An Insight event that many minutes before now; of a trail's data events when one is named."""
    about = {
        "state": "Start",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "insightType": "ApiCallRateInsight",
        **({"insightSource": trail} if trail else {}),
        **details,
    }
    return {
        "eventTime": to_iso(NOW - timedelta(minutes=number)),
        "eventID": f"i{number:04d}",
        "eventCategory": "Insight",
        "insightDetails": about,
    }


@pytest.fixture
def world() -> World:
    world = World()
    world.create(IsMultiRegionTrail=True)
    world.call("PutEventSelectors", TrailName="audit", EventSelectors=BOTH)
    selector = {"InsightType": "ApiCallRateInsight", "EventCategories": ["Management", "Data"]}
    world.call("PutInsightSelectors", TrailName="audit", InsightSelectors=[selector])
    return world


def ask(world: World, **members: Any) -> dict[str, Any]:
    return world.call("ListInsightsData", InsightSource=ARN, DataType="InsightsEvents", **members)


def ids(answer: dict[str, Any]) -> list[str]:
    return [event["EventId"] for event in answer["Events"]]


def test_a_trail_lists_what_it_got_newest_first(world: World) -> None:
    world.history.add(
        insight(3, trail=ARN),
        insight(2),
        insight(1, trail=ARN.replace("audit", "other")),
        insight(4, insightType="ApiErrorRateInsight"),
    )
    world.history.add(make_record(eventTime=to_iso(NOW)))

    assert ids(ask(world)) == ["i0002", "i0003"]


def test_lookup_events_has_insights_of_management_events_only(world: World) -> None:
    world.history.add(insight(1, trail=ARN), insight(2))

    assert ids(world.call("LookupEvents", EventCategory="insight")) == ["i0002"]


def test_a_dimension_names_one_event_an_api_or_a_service(world: World) -> None:
    world.history.add(
        insight(1, trail=ARN),
        insight(2, trail=ARN, eventName="PutObject"),
        insight(3, trail=ARN, eventSource="lambda.amazonaws.com"),
    )

    assert ids(ask(world, Dimensions={"EventName": "PutObject"})) == ["i0002"]
    assert ids(ask(world, Dimensions={"EventSource": "lambda.amazonaws.com"})) == ["i0003"]
    assert ids(ask(world, Dimensions={"EventId": "i0001"})) == ["i0001"]


def test_pages_and_tokens_that_are_good_for_the_same_request_only(world: World) -> None:
    world.history.add(*[insight(number, trail=ARN) for number in range(1, 6)])

    first = ask(world, MaxResults=3)
    rest = ask(world, MaxResults=3, NextToken=first["NextToken"])
    code, _ = world.refusal(
        "ListInsightsData",
        InsightSource=ARN,
        DataType="InsightsEvents",
        Dimensions={"EventName": "GetObject"},
        NextToken=first["NextToken"],
    )

    assert ids(first) + ids(rest) == ["i0001", "i0002", "i0003", "i0004", "i0005"]
    assert "NextToken" not in rest
    assert code == "InvalidParameterException"


def test_times_are_inclusive_and_other_regions_have_their_own(world: World) -> None:
    world.history.add(insight(1, trail=ARN), insight(2, trail=ARN), insight(3, trail=ARN))
    start, end = ((NOW - timedelta(minutes=n)).replace(microsecond=0).timestamp() for n in (2, 1))

    assert ids(ask(world, StartTime=start, EndTime=end)) == ["i0001", "i0002"]
    assert ask(world, region=ABROAD) == {"Events": []}


@pytest.mark.parametrize(
    "members",
    [
        {"InsightSource": "audit"},
        {"InsightSource": ARN + "2"},
        {"DataType": "Events"},
        {"MaxResults": 0},
        {"MaxResults": 51},
        {"Dimensions": {}},
        {"Dimensions": {"EventId": "a", "EventName": "b"}},
        {"Dimensions": {"Username": "a"}},
        {"NextToken": "none of ours"},
        {"EndTime": (NOW - timedelta(days=91)).timestamp()},
    ],
)
def test_what_is_refused(world: World, members: dict[str, Any]) -> None:
    asked = {"InsightSource": ARN, "DataType": "InsightsEvents", **members}

    assert world.refusal("ListInsightsData", **asked)[0] == "InvalidParameterException"
