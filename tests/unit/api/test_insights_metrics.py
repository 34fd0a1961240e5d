"""ListInsightsMetricData: counts by period, as far back as each period is kept, page by page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from opentrail.branches.insights.series import Series
from opentrail.model.event import Place
from tests.unit.api.fakes import ACCOUNT, HOME, NOW, World

PLACE = Place(ACCOUNT, HOME)
CALLS = Series(PLACE, "ec2.amazonaws.com", "RunInstances")
ERRORS = CALLS._replace(error_code="AccessDenied")
ASKED = {"EventSource": CALLS.source, "EventName": CALLS.name, "InsightType": "ApiCallRateInsight"}
HOUR = NOW.replace(minute=0, second=0, microsecond=0)
DAY = timedelta(days=1)


def minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def at(**back: float) -> int:
    """A minute before the beginning of this hour."""
    return minute(HOUR - timedelta(**back))


@pytest.fixture
def world() -> World:
    world = World()
    world.create()
    world.call_counts.known = {
        CALLS: {at(minutes=61): 1, at(minutes=30): 2, at(minutes=29): 3, at(minutes=0): 4},
        ERRORS: {at(minutes=0): 7},
        CALLS._replace(trail=world.stored().arn): {at(minutes=0): 9},
    }
    return world


def ask(world: World, **members: Any) -> dict[str, Any]:
    return world.call("ListInsightsMetricData", **{**ASKED, **members})


def points(answer: dict[str, Any]) -> list[tuple[int, float]]:
    """(minute, value)."""
    return [(int(t) // 60, v) for t, v in zip(answer["Timestamps"], answer["Values"], strict=True)]


def test_an_hour_is_the_default_period_and_zeros_are_left_out(world: World) -> None:
    answer = ask(world)

    assert points(answer) == [(at(hours=2), 1.0), (at(hours=1), 5.0), (at(hours=0), 4.0)]
    assert answer.keys() == {*ASKED, "Timestamps", "Values"}


def test_minutes_and_five_minutes(world: World) -> None:
    assert points(ask(world, Period=60))[1:3] == [(at(minutes=30), 2.0), (at(minutes=29), 3.0)]
    assert points(ask(world, Period=300))[1:] == [(at(minutes=30), 5.0), (at(minutes=0), 4.0)]


def test_start_is_inclusive_and_end_is_not(world: World) -> None:
    answer = ask(world, Period=60, StartTime=at(minutes=30) * 60, EndTime=at(minutes=0) * 60)

    assert points(answer) == [(at(minutes=30), 2.0), (at(minutes=29), 3.0)]


def test_zeros_fill_the_range_when_asked_for(world: World) -> None:
    times = {"StartTime": at(minutes=31) * 60, "EndTime": at(minutes=28) * 60}

    answer = ask(world, Period=60, DataType="FillWithZeros", **times)

    assert [value for _, value in points(answer)] == [0.0, 2.0, 3.0]


@pytest.mark.parametrize(("period", "days"), [(60, 15), (300, 63), (3600, 90)])
def test_each_period_is_kept_for_its_time(world: World, period: int, days: int) -> None:
    inside, outside = minute(NOW - days * DAY) + 60, minute(NOW - days * DAY) - 61
    world.call_counts.known = {CALLS: {inside: 1, outside: 1}}

    found = ask(world, Period=period)
    filled = ask(world, Period=period, DataType="FillWithZeros")

    assert len(found["Values"]) == 1
    assert len(filled["Values"]) == days * 86400 // period


def test_error_rates_need_their_code_and_show_it(world: World) -> None:
    answer = ask(world, InsightType="ApiErrorRateInsight", ErrorCode="AccessDenied")

    assert (answer["ErrorCode"], points(answer)) == ("AccessDenied", [(at(minutes=0), 7.0)])


def test_a_trails_data_events_have_counts_of_their_own(world: World) -> None:
    answer = ask(world, TrailName="audit")

    assert (answer["TrailARN"], points(answer)) == (world.stored().arn, [(at(minutes=0), 9.0)])


def test_pages_go_on_where_the_one_before_ended(world: World) -> None:
    first = ask(world, Period=60, MaxResults=2)
    later = NOW + timedelta(minutes=5)
    world.call_counts.known[CALLS] = {**world.call_counts.known[CALLS], minute(later): 8}

    rest = ask(world, Period=60, MaxResults=50, NextToken=first["NextToken"], now=later)

    assert [value for _, value in points(first) + points(rest)] == [1.0, 2.0, 3.0, 4.0]
    assert "NextToken" not in rest


def test_a_token_is_good_for_the_same_request_only(world: World) -> None:
    token = ask(world, Period=60, MaxResults=2)["NextToken"]

    code, _ = world.refusal("ListInsightsMetricData", **ASKED, Period=300, NextToken=token)

    assert code == "InvalidParameterException"


@pytest.mark.parametrize(
    "members",
    [
        {"Period": 120},
        {"Period": 61},
        {"InsightType": "ApiErrorRateInsight"},
        {"ErrorCode": "AccessDenied"},
        {"MaxResults": 0},
        {"MaxResults": 21601},
        {"DataType": "All"},
        {"EventSource": "ec2"},
        {"StartTime": NOW.timestamp() + 60},
        {"NextToken": "none of ours"},
        {"NextToken": "ä"},
    ],
)
def test_what_is_refused(world: World, members: dict[str, Any]) -> None:
    assert world.refusal("ListInsightsMetricData", **{**ASKED, **members})[0] == "InvalidParameterException"
