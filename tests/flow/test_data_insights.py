"""Insights of data events: counted with the files of the trail that takes them, and for that trail only."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from opentrail.adapters.aws import items
from opentrail.adapters.aws.insights import DynamoInsights
from opentrail.branches.history import count_data_events
from opentrail.branches.insights.series import Series, to_minute
from opentrail.model.event import Place
from opentrail.model.log_file import LogFile
from opentrail.model.trail import Trail
from tests.flow.test_insights import BEGIN, BURST, on_the_intake, watch, with_intake
from tests.support.line import Line
from tests.support.records import ACCOUNT, REGION, envelope, make_record, to_bytes

PLACE = Place(ACCOUNT, REGION)
BUCKET = "arn:aws:s3:::reports"
SELECTORS: dict[str, Any] = {
    "event_selectors": [{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}],
    "insight_selectors": [{"InsightType": "ApiCallRateInsight", "EventCategories": ["Data"]}],
}


@pytest.fixture
def line(line: Line) -> Line:
    return with_intake(line)


def get_object(moment: datetime, **changes: Any) -> dict[str, Any]:
    record = {
        "eventTime": moment.strftime("%Y-%m-%dT%H:%M:00Z"),
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "eventCategory": "Data",
        "managementEvent": False,
        "readOnly": True,
        "resources": [
            {"type": "AWS::S3::Object", "ARN": f"{BUCKET}/q1.csv"},
            {"type": "AWS::S3::Bucket", "ARN": BUCKET},
        ],
    }
    return make_record(**record | changes)


def add_file(line: Line, trail: Trail, records: list[dict[str, Any]], moment: datetime) -> None:
    """What delivery keeps of one file, without the file."""
    key = f"AWSLogs/{moment.timestamp():016.0f}.json.gz"
    file = LogFile(bucket="b", key=key, sha256="", count=1, oldest="", newest="", created_at=0.0)
    counts = count_data_events(PLACE, trail.arn, file, [b"\n".join(map(to_bytes, records))])
    assert counts is not None
    item = items.data_item(counts, created_at=moment.timestamp() + 59, expires=0)
    line.client("dynamodb").put_item(TableName=f"{line.name}-history", Item=item)


def counted(line: Line, trail: Trail, series: Series) -> dict[int, int]:
    store = DynamoInsights(line.client("dynamodb"), f"{line.name}-history")
    minute = int(line.now.timestamp()) // 60
    return dict(store.counts_of(series._replace(trail=trail.arn), first=minute - 60, end=minute + 1))


def test_delivery_counts_a_trails_data_events_once(line: Line) -> None:
    trail, other = (
        line.start_trail(name, multi_region=False, **(SELECTORS | changes))
        for name, changes in (("main", {}), ("plain", {"insight_selectors": None}))
    )
    line.record(
        [
            envelope(to_bytes(get_object(line.now))),
            envelope(to_bytes(get_object(line.now))),
            envelope(to_bytes(make_record())),
        ]
    )
    chunks = line.queued_chunks()

    line.deliver(chunks)
    line.deliver(chunks)

    series = Series(PLACE, "s3.amazonaws.com", "GetObject")
    minute = to_minute(line.now.isoformat())
    assert counted(line, trail, series) == {minute: 2}
    assert counted(line, other, series) == {}
    assert counted(line, trail, Series(PLACE, "iam.amazonaws.com", "CreateUser")) == {}


def test_a_burst_of_reads_becomes_an_insight_of_that_trail(line: Line) -> None:
    line.now = BEGIN
    trail = line.start_trail(multi_region=False, **SELECTORS)
    other = line.start_trail("other", multi_region=False, **SELECTORS)
    for day in range(9):
        moments = [BEGIN + timedelta(days=day, minutes=30 * half) for half in range(48)]
        usual = [get_object(moment) for moment in moments if moment < BURST]
        add_file(line, trail, usual, max(moment for moment in moments if moment < BURST))
    watch(line, BURST - timedelta(minutes=10))
    for minute in range(10):
        moment = BURST + timedelta(minutes=minute)
        add_file(line, trail, [get_object(moment)] * 10, moment)
    for minute in (*range(14), 40):
        watch(line, BURST + timedelta(minutes=minute))

    bodies = on_the_intake(line)
    line.now = BURST + timedelta(hours=1)
    line.record(bodies)
    line.deliver(line.queued_chunks())

    details = [json.loads(body)["detail"]["insightDetails"] for body in bodies]
    assert [d["state"] for d in details] == ["Start", "End"]
    assert {(d["insightSource"], d["sourceEventCategory"]) for d in details} == {(trail.arn, "Data")}
    attributions = {a["attribute"]: a["insight"] for a in details[0]["insightContext"]["attributions"]}
    assert attributions["resourceArn"] == [
        {"value": BUCKET, "average": 10},
        {"value": f"{BUCKET}/q1.csv", "average": 10},
    ]
    stored = [json.loads(raw) for records in line.logs().values() for raw in records]
    assert len(stored) == 2  # in the one trail's folder, not in the other's
    assert other.arn not in str(stored)
