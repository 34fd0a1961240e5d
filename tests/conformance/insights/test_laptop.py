"""Insights on a real ``opentrail up``: eight days of calls, then bursts, by a clock that the test sets.

The calls of the past are put where delivery would have put them; the insights function is told
the time, as EventBridge tells it. Everything after that is the laptop's own doing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opentrail.format.log_file import decompress, split_records
from tests.conformance.laptop.conftest import BIN, Laptop, environment, serving
from tests.support.past import Past
from tests.support.records import ACCOUNT

# Some days ago, for LookupEvents and ListInsightsData reach back 90 days; early enough for a quiet night.
BURST = datetime.now(UTC).replace(hour=4, minute=20, second=0, microsecond=0) - timedelta(days=2)
EXPECTED = [
    (name, state, BURST + timedelta(minutes=late))
    for name in ("DescribeHosts", "RunInstances")
    for state, late in (("End", 10), ("Start", 0))
]


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """``opentrail up`` after the burst and after the insights function has judged it."""
    folder = tmp_path_factory.mktemp("laptop")
    with serving([BIN / "opentrail", "up", "--port", "0"], environment(), folder) as running:
        live_through(running)
        yield running


def live_through(laptop: Laptop) -> None:
    """Nine days, a minute at a time where something happens."""
    outputs = json.loads(laptop.run("opentrail", "status --json").stdout)["outputs"]
    stop_the_clock(laptop)
    listen(laptop)
    make_trail(laptop)
    past = Past(laptop.client("dynamodb"), outputs["HistoryTableName"])
    begin = (BURST - timedelta(days=8)).replace(hour=0, minute=0)
    for day in range(9):
        moments = [begin + timedelta(days=day, minutes=30 * half) for half in range(48)]
        past.add([moment for moment in moments if moment < BURST], ("RunInstances", "", 2))
    judge(laptop, outputs, BURST - timedelta(minutes=10))
    for minute in range(10):
        past.add(
            [BURST + timedelta(minutes=minute)],
            ("RunInstances", "", 10),
            ("DescribeHosts", "AccessDenied", 8),
        )
    for minute in (3, 12, 40):
        judge(laptop, outputs, BURST + timedelta(minutes=minute))
    laptop.flush()


def stop_the_clock(laptop: Laptop) -> None:
    """No run by the wall clock may come in between."""
    events = laptop.client("events")
    (clock,) = [rule["Name"] for rule in events.list_rules()["Rules"] if "InsightsClock" in rule["Name"]]
    events.disable_rule(Name=clock)


def listen(laptop: Laptop) -> None:
    """A queue that hears what the bus says of Insights."""
    sqs, events = laptop.client("sqs"), laptop.client("events")
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="heard", EventPattern=json.dumps({"detail-type": ["AWS Insight via CloudTrail"]}))
    events.put_targets(Rule="heard", Targets=[{"Id": "q", "Arn": arn}])


def make_trail(laptop: Laptop) -> None:
    """A trail with both insights on, that streams to a log group."""
    laptop.client("logs").create_log_group(logGroupName="trail")
    group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail:*"
    service = {"Service": "cloudtrail.amazonaws.com"}
    writes = ["logs:CreateLogStream", "logs:PutLogEvents"]
    iam = laptop.client("iam")
    iam.create_role(
        RoleName="trail", AssumeRolePolicyDocument=policy(Action="sts:AssumeRole", Principal=service)
    )
    iam.put_role_policy(
        RoleName="trail", PolicyName="write", PolicyDocument=policy(Action=writes, Resource=group)
    )
    role = f"arn:aws:iam::{ACCOUNT}:role/trail"
    laptop.make_trail("main", CloudWatchLogsLogGroupArn=group, CloudWatchLogsRoleArn=role)
    selectors = [{"InsightType": "ApiCallRateInsight"}, {"InsightType": "ApiErrorRateInsight"}]
    laptop.client("cloudtrail").put_insight_selectors(TrailName="main", InsightSelectors=selectors)


def policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def judge(laptop: Laptop, outputs: dict[str, str], moment: datetime) -> None:
    """Run the insights function as EventBridge does at ``moment``."""
    event = {"time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"), "settled": True}
    answer = laptop.client("lambda").invoke(
        FunctionName=outputs["InsightsFunctionName"], Payload=json.dumps(event).encode()
    )
    body = answer["Payload"].read()
    assert "FunctionError" not in answer, body
    assert json.loads(body)["failed"] == 0


def told(records: list[dict[str, Any]]) -> list[tuple[str, str, datetime]]:
    """(API, state, time) of the error insight of DescribeHosts and the call insight of RunInstances."""
    kinds = {"DescribeHosts": "ApiErrorRateInsight", "RunInstances": "ApiCallRateInsight"}
    return sorted(
        (details["eventName"], details["state"], datetime.fromisoformat(record["eventTime"]))
        for record in records
        if kinds[(details := record["insightDetails"])["eventName"]] == details["insightType"]
    )


def test_start_and_end_lie_in_the_trails_insight_folder(laptop: Laptop) -> None:
    keys = laptop.keys("audit-main", "/CloudTrail-Insight/")

    s3 = laptop.client("s3")
    bodies = [s3.get_object(Bucket="audit-main", Key=key)["Body"].read() for key in keys]
    records = [json.loads(raw) for body in bodies for raw in split_records(decompress(body))]
    assert told(records) == EXPECTED
    assert len({record["sharedEventID"] for record in records}) == len(records) / 2


def test_the_aws_cli_looks_them_up(laptop: Laptop) -> None:
    done = laptop.run("aws", "cloudtrail lookup-events --event-category insight")

    events = json.loads(done.stdout)["Events"]
    assert told([json.loads(event["CloudTrailEvent"]) for event in events]) == EXPECTED
    found = laptop.run("opentrail", "lookup --insights --name RunInstances --since 90d --output json").stdout
    assert {event["EventName"] for event in json.loads(found)} == {"RunInstances"}


def test_the_bus_and_the_log_group_hear_of_them(laptop: Laptop) -> None:
    sqs, logs = laptop.client("sqs"), laptop.client("logs")
    url = sqs.get_queue_url(QueueName="heard")["QueueUrl"]
    heard: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        heard += [json.loads(message["Body"])["detail"] for message in messages]
    streams = [s["logStreamName"] for s in logs.describe_log_streams(logGroupName="trail")["logStreams"]]
    streamed = [
        json.loads(event["message"])
        for stream in streams
        for event in logs.get_log_events(logGroupName="trail", logStreamName=stream)["events"]
    ]

    assert told(heard) == EXPECTED
    assert told([record for record in streamed if record["eventCategory"] == "Insight"]) == EXPECTED


def test_the_aws_cli_lists_them_with_their_counts(laptop: Laptop) -> None:
    cloudtrail = laptop.client("cloudtrail")
    arn = cloudtrail.get_trail(Name="main")["Trail"]["TrailARN"]

    listed = laptop.run(
        "aws", f"cloudtrail list-insights-data --insight-source {arn} --data-type InsightsEvents"
    )
    counts = cloudtrail.list_insights_metric_data(
        EventSource="ec2.amazonaws.com",
        EventName="DescribeHosts",
        InsightType="ApiErrorRateInsight",
        ErrorCode="AccessDenied",
        Period=60,
    )

    assert told([json.loads(e["CloudTrailEvent"]) for e in json.loads(listed.stdout)["Events"]]) == EXPECTED
    assert counts["Values"] == [8.0] * 10
    assert counts["Timestamps"][0] == BURST
