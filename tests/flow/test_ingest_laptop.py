"""The deployed ingest stack on the laptop: a file in the bucket, and its events where events are found."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import pytest

from opentrail.format.keys import log_key, parse_log_key
from opentrail.format.log_file import build_log_file, parse_records, split_records
from opentrail.local.runtime import Options
from opentrail.local.source_bucket import BUCKET
from opentrail.model.event import Place
from opentrail.testing.world import OpenTrail, opened
from tests.support.records import make_record, sample_lines, to_bytes
from tests.support.values import START


@pytest.fixture(scope="module")
def world() -> Iterator[OpenTrail]:
    with opened(Options(ingest=True)) as made:
        made.trail("main", S3BucketName=made.runtime.outputs["LogBucketName"])
        yield made


def put(world: OpenTrail, *records: bytes, token: str, body: bytes = b"") -> None:
    """A file as CloudTrail writes it, put by whoever may."""
    place = Place(world.account, world.region)
    key = log_key(
        prefix="central", organization="", place=place, folder="CloudTrail", delivered=START, token=token * 16
    )
    world.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body or build_log_file(records)[1])


def delivered(world: OpenTrail) -> list[bytes]:
    """Every record in the trail's files."""
    s3, bucket = world.client("s3"), world.runtime.outputs["LogBucketName"]
    with world.runtime.unrecorded():
        found = s3.list_objects_v2(Bucket=bucket, Prefix="AWSLogs/").get("Contents", [])
        bodies = [s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in found]
    files = [body for item, body in zip(found, bodies, strict=True) if "_CloudTrail_" in item["Key"]]
    return [raw for body in files for raw in split_records(gzip.decompress(body))]


def looked_up(world: OpenTrail, event_id: str) -> list[dict[str, object]]:
    answer = world.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventId", "AttributeValue": event_id}]
    )
    return [json.loads(event["CloudTrailEvent"]) for event in answer["Events"]]


def test_the_events_of_a_new_file_are_in_lookups_and_in_the_trails_files(world: OpenTrail) -> None:
    world.client("sts").get_caller_identity()
    recent = world.events()[-1]["eventTime"]
    record = make_record(eventID="11111111-2222-4333-8444-555555555555", eventTime=recent)

    put(world, to_bytes(record), token="a")
    counts = world.flush()

    assert (counts["files"], counts["failed"]) == (1, 0)
    assert looked_up(world, str(record["eventID"])) == [record]
    assert delivered(world).count(to_bytes(record)) == 1


def test_what_the_bus_brought_and_the_file_has_too_is_there_once(world: OpenTrail) -> None:
    world.client("iam").create_user(UserName="once")
    (made,) = world.events("CreateUser")
    raw = json.dumps(made, separators=(",", ":")).encode()

    put(world, raw, token="b")
    world.flush()

    ids = [json.loads(record)["eventID"] for record in delivered(world)]
    assert ids.count(made["eventID"]) == 1


def test_a_file_that_is_none_can_be_repaired_and_sent_back(world: OpenTrail) -> None:
    record = make_record(eventID="22222222-2222-4333-8444-555555555555")
    put(world, token="c", body=b"\x1f\x8bnonsense")
    world.flush()
    sqs, dead = world.client("sqs"), world.runtime.outputs["IngestDeadLetterQueueUrl"]

    (letter,) = sqs.receive_message(QueueUrl=dead, MessageAttributeNames=["All"])["Messages"]
    put(world, to_bytes(record), token="c")
    sqs.send_message(QueueUrl=world.runtime.outputs["IngestQueueUrl"], MessageBody=letter["Body"])
    world.flush()

    assert "broken gzip" in letter["MessageAttributes"]["reason"]["StringValue"]
    assert delivered(world).count(to_bytes(record)) == 1


def test_real_records_come_through_unchanged(world: OpenTrail) -> None:
    lines = [line for line in sample_lines() if b'"eventCategory":"Data"' not in line][:200]

    put(world, *lines, token="d")
    world.flush()

    files = delivered(world)
    assert [line for line in lines if line not in files] == []


def test_files_lie_under_the_day_of_their_delivery_as_late_events_do(world: OpenTrail) -> None:
    record = make_record(eventID="33333333-2222-4333-8444-555555555555", eventTime="2024-02-29T01:02:03Z")

    put(world, to_bytes(record), token="e")
    world.flush()

    s3, bucket = world.client("s3"), world.runtime.outputs["LogBucketName"]
    found = s3.list_objects_v2(Bucket=bucket, Prefix="AWSLogs/")["Contents"]
    days = [
        parse_log_key(item["Key"]).delivered.year
        for item in found
        if "_CloudTrail_" in item["Key"]
        and record in parse_records(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
    ]
    assert len(days) == 1
    assert days != [2024]
