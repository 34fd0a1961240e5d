"""Real records through PutEvents into a running laptop: each in exactly one log file, as it was."""

from __future__ import annotations

import json
from collections import Counter

from opentrail.format import log_file
from tests.conformance.laptop.conftest import Laptop
from tests.support.records import sample_lines

EVERYTHING = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
}
INSIGHTS = [{"InsightType": "ApiCallRateInsight"}, {"InsightType": "ApiErrorRateInsight"}]
ENTRIES = 10  # of one PutEvents; EventBridge API reference


def put_all(laptop: Laptop, lines: list[bytes]) -> None:
    events = laptop.client("events")
    for start in range(0, len(lines), ENTRIES):
        entries = [
            {"Source": "aws.sample", "DetailType": "AWS API Call via CloudTrail", "Detail": line.decode()}
            for line in lines[start : start + ENTRIES]
        ]
        assert events.put_events(Entries=entries)["FailedEntryCount"] == 0


def test_every_real_record_lands_exactly_once_unchanged(laptop: Laptop) -> None:
    lines = sample_lines()
    laptop.make_trail("everything")
    cloudtrail, s3 = laptop.client("cloudtrail"), laptop.client("s3")
    cloudtrail.put_event_selectors(TrailName="everything", EventSelectors=[EVERYTHING])
    cloudtrail.put_insight_selectors(TrailName="everything", InsightSelectors=INSIGHTS)

    put_all(laptop, lines)
    counts = laptop.flush()

    bodies = [
        s3.get_object(Bucket="audit-everything", Key=key)["Body"].read()
        for key in laptop.keys("audit-everything", ".json.gz")
    ]
    wanted = Counter(lines)
    landed = Counter(raw for body in bodies for raw in log_file.split_records(log_file.decompress(body)))
    assert Counter({raw: count for raw, count in landed.items() if raw in wanted}) == wanted
    assert counts["events"] >= len(lines)
    assert counts["failed"] == 0


def test_what_is_no_record_is_set_aside_with_its_reason(laptop: Laptop) -> None:
    outputs = json.loads(laptop.run("opentrail", "status --json").stdout)["outputs"]
    sqs = laptop.client("sqs")

    put_all(laptop, [b'{"eventName":"CreateUser"}'])
    laptop.flush()

    found = sqs.receive_message(
        QueueUrl=outputs["IntakeDeadLetterQueueUrl"], MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    (message,) = found["Messages"]
    assert json.loads(message["Body"])["detail"] == {"eventName": "CreateUser"}
    assert message["MessageAttributes"]["reason"]["StringValue"] == "record has no eventID"
