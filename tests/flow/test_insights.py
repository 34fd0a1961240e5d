"""Eight days of calls, then a burst: Insight events in files, history and on the bus, once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.insights import handler as insights
from opentrail.adapters.aws.insights import DynamoInsights
from opentrail.branches.insights.ports import Kept
from opentrail.branches.insights.series import Scope, Series
from opentrail.errors import ConflictError
from opentrail.settings import InsightsSettings
from tests.support.line import Line
from tests.support.own_events import problems
from tests.support.past import PLACE, Past
from tests.support.records import make_record

SCOPE = Scope(PLACE)
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
BURST = datetime(2026, 1, 13, 4, 20, tzinfo=UTC)


def past_of(line: Line) -> Past:
    return Past(line.client("dynamodb"), f"{line.name}-history")


def normal_days(past: Past) -> None:
    """Four calls an hour, every day alike."""
    for day in range(9):
        moments = [BEGIN + timedelta(days=day, minutes=30 * half) for half in range(48)]
        past.add([moment for moment in moments if moment < BURST], ("RunInstances", "", 2))


def burst(past: Past) -> None:
    for minute in range(10):
        moment = BURST + timedelta(minutes=minute)
        past.add([moment], ("RunInstances", "", 10), ("DescribeHosts", "AccessDenied", 8))


def with_intake(line: Line) -> Line:
    """The line with a queue for what the insights function finds."""
    line.intake = line.client("sqs").create_queue(QueueName=f"{line.name}-intake")["QueueUrl"]  # type: ignore[attr-defined]
    return line


@pytest.fixture
def line(line: Line) -> Line:
    return with_intake(line)


@pytest.fixture
def bus(line: Line) -> Iterator[str]:
    """A queue that hears what the default bus says of Insights."""
    sqs, events = line.client("sqs"), line.client("events")
    url: str = sqs.create_queue(QueueName=f"{line.name}-heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = json.dumps({"detail-type": ["AWS Insight via CloudTrail"]})
    events.put_rule(Name=f"{line.name}-insights", EventPattern=pattern)
    events.put_targets(Rule=f"{line.name}-insights", Targets=[{"Id": "q", "Arn": arn}])
    yield url
    events.remove_targets(Rule=f"{line.name}-insights", Ids=["q"])
    events.delete_rule(Name=f"{line.name}-insights")


def watch(line: Line, now: datetime) -> int:
    """Run the insights function; answer how many events it found."""
    settings = InsightsSettings(
        trails_table=f"{line.name}-trails",
        history_table=f"{line.name}-history",
        intake_queue_url=line.intake,  # type: ignore[attr-defined]
        lag_minutes=0,
    )
    found, failed = insights.build(settings, line.clients(None)).watch(now)
    assert failed == 0
    return len(found)


def on_the_intake(line: Line) -> list[str]:
    return [message["Body"] for message in line._drain(line.intake)]  # type: ignore[attr-defined]


def start_trail(line: Line, *types: str) -> None:
    line.now = BEGIN
    selectors = [{"InsightType": insight_type} for insight_type in types]
    line.start_trail(multi_region=False, insight_selectors=selectors)


def run_through(line: Line) -> list[str]:
    """Runs through the burst, a minute apart, and after it; what came onto the intake queue."""
    past = past_of(line)
    normal_days(past)
    watch(line, BURST - timedelta(minutes=10))
    burst(past)
    for minute in (*range(14), 40, 50):
        watch(line, BURST + timedelta(minutes=minute))
    return on_the_intake(line)


def details(bodies: list[str]) -> list[tuple[str, str, str]]:
    found: list[dict[str, Any]] = [json.loads(body)["detail"] for body in bodies]
    return sorted(
        (f["insightDetails"]["eventName"], f["insightDetails"]["state"], f["eventTime"]) for f in found
    )


def test_bursts_of_calls_and_of_errors_start_and_end_once(line: Line) -> None:
    start_trail(line, "ApiCallRateInsight", "ApiErrorRateInsight")

    bodies = run_through(line)

    assert details(bodies) == [
        ("DescribeHosts", "End", "2026-01-13T04:30:00Z"),
        ("DescribeHosts", "End", "2026-01-13T04:30:00Z"),
        ("DescribeHosts", "Start", "2026-01-13T04:20:00Z"),
        ("DescribeHosts", "Start", "2026-01-13T04:20:00Z"),
        ("RunInstances", "End", "2026-01-13T04:30:00Z"),
        ("RunInstances", "Start", "2026-01-13T04:20:00Z"),
    ]


def test_start_and_end_share_an_id_and_report_seven_days(line: Line) -> None:
    start_trail(line, "ApiCallRateInsight")

    records = [json.loads(body)["detail"] for body in run_through(line)]

    first, last = sorted(
        (r for r in records if r["insightDetails"]["eventName"] == "RunInstances"),
        key=lambda r: r["eventTime"],
    )
    assert first["sharedEventID"] == last["sharedEventID"]
    statistics = last["insightDetails"]["insightContext"]["statistics"]
    assert statistics["insight"]["average"] == 10
    assert statistics["insightDuration"] == 10
    assert statistics["baselineDuration"] == 7 * 1440 + 260
    assert statistics["baseline"]["average"] == pytest.approx(4 / 60, rel=0.01)


def test_attributions_say_whose_calls_they_were(line: Line) -> None:
    start_trail(line, "ApiCallRateInsight")

    records = [json.loads(body)["detail"] for body in run_through(line)]

    (details,) = (
        d
        for d in (r["insightDetails"] for r in records)
        if (d["state"], d["eventName"]) == ("Start", "RunInstances")
    )
    average = details["insightContext"]["statistics"]["baseline"]["average"]
    caller = make_record()["userIdentity"]["arn"]
    agent = make_record()["userAgent"]
    assert details["insightContext"]["attributions"] == [
        {
            "attribute": attribute,
            "insight": [{"value": value, "average": 10}],
            "baseline": [{"value": value, "average": average}],
        }
        for attribute, value in (("userIdentityArn", caller), ("userAgent", agent), ("errorCode", "null"))
    ]


def test_insight_events_reach_the_trails_folder_and_history(line: Line) -> None:
    start_trail(line, "ApiErrorRateInsight")

    line.now = BURST + timedelta(hours=1)
    line.record(run_through(line))
    line.deliver(line.queued_chunks())

    folders = {key.split("/")[2] for key in line.objects() if "/CloudTrail" in key}
    assert folders == {"CloudTrail-Insight"}
    stored = [json.loads(raw) for records in line.logs().values() for raw in records]
    assert {r["insightDetails"]["errorCode"] for r in stored} == {"AccessDenied"}
    assert sorted(r["insightDetails"]["state"] for r in stored) == ["End", "Start"]
    assert any(key.startswith("history/") for key in line.objects(line.history_bucket))


def test_the_bus_hears_of_insights(line: Line, bus: str) -> None:
    start_trail(line, "ApiErrorRateInsight")

    run_through(line)

    heard = [json.loads(message["Body"]) for message in line._drain(bus)]
    assert sorted(event["detail"]["insightDetails"]["state"] for event in heard) == ["End", "Start"]
    assert [problems(event) for event in heard] == [[], []]


def test_a_run_that_dies_before_sending_is_made_good(line: Line) -> None:
    start_trail(line, "ApiErrorRateInsight")
    past = past_of(line)
    normal_days(past)
    watch(line, BURST - timedelta(minutes=10))
    burst(past)
    queue, line.intake = line.intake, "http://localhost/none"  # type: ignore[attr-defined]
    with pytest.raises(AssertionError):
        watch(line, BURST + timedelta(minutes=5))
    line.intake = queue  # type: ignore[attr-defined]

    watch(line, BURST + timedelta(minutes=5))

    assert [state for _, state, _ in details(on_the_intake(line))] == ["Start"]


def test_of_two_runs_at_once_one_writes(line: Line) -> None:
    state = DynamoInsights(line.client("dynamodb"), f"{line.name}-history")
    state.write(SCOPE, "standing", b"first", version=0)

    with pytest.raises(ConflictError):
        state.write(SCOPE, "standing", b"second", version=0)

    assert state.read(SCOPE, ["standing", "unknown"]) == [Kept(b"first", 1), Kept(b"", 0)]


def test_what_is_larger_than_an_item_is_read_back_whole(line: Line) -> None:
    state = DynamoInsights(line.client("dynamodb"), f"{line.name}-history")
    large = bytes(range(256)) * 3000

    version = state.write(SCOPE, "baselines", large, version=0)

    assert state.read(SCOPE, ["baselines"]) == [Kept(large, version)]


def test_nothing_is_judged_before_a_baseline(line: Line) -> None:
    start_trail(line, "ApiCallRateInsight", "ApiErrorRateInsight")

    burst(past_of(line))
    found = [watch(line, BURST + timedelta(minutes=minute)) for minute in range(15)]

    assert sum(found) == 0


def test_the_counts_of_one_series_in_a_range(line: Line) -> None:
    past = past_of(line)
    past.add([BURST, BURST + timedelta(minutes=1)], ("RunInstances", "", 2), ("RunInstances", "Denied", 1))
    past.add([BURST + timedelta(minutes=1)], ("RunInstances", "", 3), ("Other", "", 1))
    series = Series(PLACE, "ec2.amazonaws.com", "RunInstances")
    minute = int(BURST.timestamp()) // 60

    counts = DynamoInsights(line.client("dynamodb"), f"{line.name}-history").counts_of(
        series, first=minute + 1, end=minute + 60
    )

    assert counts == {minute + 1: 6}
