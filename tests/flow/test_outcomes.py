"""What a trail's status says of delivery, notification and log stream, and what they send."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from opentrail.format.times import to_iso
from opentrail.model.trail import TrailStatus
from tests.support.line import Line
from tests.support.records import ACCOUNT, REGION, envelope, make_record, to_bytes

GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:trail-events:*"


def run(line: Line, *records: dict[str, Any]) -> None:
    line.record(envelope(to_bytes(record)) for record in records)
    line.deliver(line.queued_chunks())


def status(line: Line, trail_arn: str) -> TrailStatus:
    return line.trails.status(trail_arn, REGION)


def inbox(line: Line, topic_arn: str) -> str:
    """A queue that gets what the topic gets."""
    sqs = line.client("sqs")
    url: str = sqs.create_queue(QueueName=f"{line.name}-inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    line.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)
    return url


def test_a_topic_hears_of_every_delivered_file(line: Line) -> None:
    topic = line.client("sns").create_topic(Name=f"{line.name}-files")["TopicArn"]
    url = inbox(line, topic)
    trail = line.start_trail(sns_topic_arn=topic)

    run(line, make_record(), make_record())

    (message,) = line.client("sqs").receive_message(QueueUrl=url)["Messages"]
    told = json.loads(json.loads(message["Body"])["Message"])
    assert told == {"s3Bucket": line.bucket, "s3ObjectKey": list(line.logs())}
    assert status(line, trail.arn).latest_notification_time == line.now.timestamp()


def test_a_missing_topic_costs_no_file_and_shows_in_the_status(line: Line) -> None:
    trail = line.start_trail(sns_topic_arn=f"arn:aws:sns:{REGION}:{ACCOUNT}:gone")

    run(line, make_record())

    assert len(line.logs()) == 1
    assert status(line, trail.arn).latest_notification_error == "NotFound"


def test_records_are_streamed_to_the_log_group_unchanged(line: Line) -> None:
    line.client("logs").create_log_group(logGroupName="trail-events")
    line.now = datetime.now(UTC).replace(microsecond=0)  # moto drops log events that are old by its own clock
    trail = line.start_trail(log_group_arn=GROUP)
    times = (to_iso(line.now), to_iso(line.now - timedelta(minutes=1)))
    records = [make_record(eventTime=time) for time in times]

    run(line, *records)

    answer = line.client("logs").get_log_events(
        logGroupName="trail-events", logStreamName=f"{ACCOUNT}_CloudTrail_{REGION}", startFromHead=True
    )
    assert [event["message"].encode() for event in answer["events"]] == [
        to_bytes(records[1]),
        to_bytes(records[0]),
    ]
    assert status(line, trail.arn).latest_log_stream_time == line.now.timestamp()


def test_a_missing_log_group_costs_no_file_and_shows_in_the_status(line: Line) -> None:
    trail = line.start_trail(log_group_arn=GROUP.replace("trail-events", "gone"))

    run(line, make_record())

    assert len(line.logs()) == 1
    assert status(line, trail.arn).latest_log_stream_error == "ResourceNotFoundException"


def test_a_bucket_that_went_away_shows_in_the_status_until_it_is_back(line: Line) -> None:
    trail = line.start_trail(bucket="not-there-yet")
    line.record([envelope(to_bytes(make_record()))])
    chunks = line.queued_chunks()

    failed = line.deliver(chunks).failed
    before = status(line, trail.arn)
    line.client("s3").create_bucket(Bucket="not-there-yet")
    line.wait(minutes=5)
    line.deliver(chunks)

    assert [failure.code for failure in failed] == ["NoSuchBucket"]
    assert (before.latest_delivery_error, before.latest_delivery_time) == ("NoSuchBucket", 0.0)
    assert status(line, trail.arn).latest_delivery_error == ""
    assert status(line, trail.arn).latest_delivery_time == line.now.timestamp()
