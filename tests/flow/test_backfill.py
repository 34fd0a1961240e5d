"""``opentrail ingest`` against a deployment: what CloudTrail wrote before, in history and in files, once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from opentrail import cli
from opentrail.adapters.aws.clients import client
from opentrail.format.keys import log_key
from opentrail.format.log_file import build_log_file, parse_records
from opentrail.format.times import to_iso
from opentrail.local.runtime import Options
from opentrail.local.source_bucket import BUCKET
from opentrail.model.event import Place
from opentrail.testing.world import OpenTrail, opened
from tests.support.records import make_data_record, make_record, to_bytes

OLD = "old-trail"
PICTURES = "arn:aws:s3:::pictures/"
NOW = datetime.now(UTC)  # history answers the last 90 days of the real clock


@pytest.fixture(scope="module")
def world() -> Iterator[OpenTrail]:
    with opened(Options(ingest=True)) as made:
        client.cache_clear()
        made.client("s3").create_bucket(Bucket=OLD)
        made.trail(
            "main",
            S3BucketName=made.runtime.outputs["LogBucketName"],
            EventSelectors=[{"DataResources": [{"Type": "AWS::S3::Object", "Values": [PICTURES]}]}],
        )
        yield made
        client.cache_clear()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def put(world: OpenTrail, *records: dict[str, Any], bucket: str = OLD, **place: str) -> None:
    key = log_key(
        prefix=place.get("prefix", ""),
        organization=place.get("organization", ""),
        place=Place(world.account, world.region),
        folder="CloudTrail",
        delivered=NOW - timedelta(days=3),
        token="a" * 16,
    )
    _, body = build_log_file([to_bytes(record) for record in records])
    world.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def ingest(*arguments: str, state: Path | None = None) -> tuple[int, Any]:
    """Run the command; its exit code and what it printed as JSON, or as text."""
    options = ["--state", str(state)] if state else []
    done = CliRunner().invoke(cli.main, ["ingest", *arguments, *options, "--json"], catch_exceptions=False)
    try:
        return done.exit_code, json.loads(done.stdout)
    except ValueError:
        return done.exit_code, done.output


def delivered(world: OpenTrail) -> list[str]:
    """The eventIDs in the trail's files."""
    s3, bucket = world.client("s3"), world.runtime.outputs["LogBucketName"]
    with world.runtime.unrecorded():
        found = s3.list_objects_v2(Bucket=bucket, Prefix="AWSLogs/").get("Contents", [])
        bodies = [
            s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            for item in found
            if "_CloudTrail_" in item["Key"]
        ]
    return [record["eventID"] for body in bodies for record in parse_records(body)]


def in_history(world: OpenTrail, event_id: str) -> int:
    attribute = {"AttributeKey": "EventId", "AttributeValue": event_id}
    return len(world.client("cloudtrail").lookup_events(LookupAttributes=[attribute])["Events"])


def recent(event_id: str, **changes: Any) -> dict[str, Any]:
    """A call of three days ago."""
    return make_record(eventID=event_id, eventTime=to_iso(NOW - timedelta(days=3)), **changes)


def test_what_lay_there_is_in_history_and_in_the_trails_files_once(world: OpenTrail, state: Path) -> None:
    data = make_data_record(eventID="data-1", eventTime=to_iso(NOW - timedelta(days=3)))
    put(world, recent("call-1"), data, prefix="before")
    put(world, recent("call-2"), prefix="before", organization="o-abcdefghij")

    code, told = ingest(f"s3://{OLD}/before/", state=state)
    world.flush()

    assert (code, told["files"], told["events"], told["failed"]) == (0, 2, 3, {})
    assert [in_history(world, event_id) for event_id in ("call-1", "call-2", "data-1")] == [1, 1, 0]
    assert [delivered(world).count(event_id) for event_id in ("call-1", "call-2", "data-1")] == [1, 1, 1]


def test_a_second_run_reads_nothing_and_a_restart_doubles_nothing(world: OpenTrail, state: Path) -> None:
    put(world, recent("call-3"), make_data_record(eventID="data-3"), prefix="again")
    ingest(f"s3://{OLD}/again/", state=state)
    world.flush()

    _, second = ingest(f"s3://{OLD}/again/", state=state)
    _, third = ingest(f"s3://{OLD}/again/", "--restart", state=state)
    world.flush()

    assert (second["files"], third["files"], third["known"]) == (0, 1, 1)
    assert [delivered(world).count(event_id) for event_id in ("call-3", "data-3")] == [1, 1]


def test_a_file_that_the_bucket_told_of_and_the_back_fill_reads_is_taken_once(
    world: OpenTrail, state: Path
) -> None:
    put(world, recent("call-4"), make_data_record(eventID="data-4"), bucket=BUCKET)

    ingest(f"s3://{BUCKET}", state=state)
    world.flush()

    assert [delivered(world).count(event_id) for event_id in ("call-4", "data-4")] == [1, 1]


def test_what_is_older_than_history_goes_to_trails_alone(world: OpenTrail, state: Path) -> None:
    old = make_record(eventID="call-5", eventTime=to_iso(NOW - timedelta(days=91)))
    put(world, old, prefix="old")

    ingest(f"s3://{OLD}/old/", state=state)
    world.flush()

    assert delivered(world).count("call-5") == 1
    bucket = world.runtime.outputs["HistoryBucketName"]
    with world.runtime.unrecorded():
        s3 = world.client("s3")
        past = s3.list_objects_v2(Bucket=bucket, Prefix="history/")["Contents"]
        kept = [s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in past]
    assert not [body for body in kept if old in parse_records(body)]


def test_a_bad_file_is_named_and_tried_again(world: OpenTrail, state: Path) -> None:
    put(world, recent("call-6"), prefix="bad")
    key = f"bad/{key_of_bad(world)}"
    world.client("s3").put_object(Bucket=OLD, Key=key, Body=b"\x1f\x8bnonsense")
    code, told = ingest(f"s3://{OLD}/bad/", state=state)
    world.client("s3").put_object(Bucket=OLD, Key=key, Body=build_log_file([to_bytes(recent("call-7"))])[1])

    repaired, then = ingest(f"s3://{OLD}/bad/", state=state)

    assert (code, told["files"], list(told["failed"])) == (1, 1, [key])
    assert told["failed"][key].startswith("broken gzip")
    assert (repaired, then["files"], then["failed"]) == (0, 1, {})


def test_progress_that_could_not_be_kept_is_said_before_anything_is_sent(world: OpenTrail) -> None:
    put(world, recent("call-8"), prefix="unkept")

    code, told = ingest(f"s3://{OLD}/unkept/", state=Path(os.devnull, "state"))
    world.flush()

    assert (code, os.devnull in told) == (2, True)
    assert "call-8" not in delivered(world)


def key_of_bad(world: OpenTrail) -> str:
    place = Place(world.account, world.region)
    return log_key(
        prefix="", organization="", place=place, folder="CloudTrail", delivered=NOW, token="b" * 16
    )


def test_a_dry_run_counts_and_sends_nothing(world: OpenTrail) -> None:
    put(world, recent("call-8"), prefix="dry")

    code, told = ingest(f"s3://{OLD}/dry/", "--dry-run")
    _, none = ingest(f"s3://{OLD}/dry/", "--dry-run", "--from", "1d")
    world.flush()

    assert (code, told["files"], none["files"]) == (0, 1, 0)
    assert list(told["folders"]) == [f"dry/AWSLogs/{world.account}/CloudTrail/{world.region}/"]
    assert "call-8" not in delivered(world)


def test_what_opentrail_itself_wrote_is_refused(world: OpenTrail, state: Path) -> None:
    bucket = world.runtime.outputs["LogBucketName"]

    code, told = ingest(f"s3://{bucket}", state=state)

    assert code == 2
    assert f"OpenTrail itself writes to s3://{bucket}" in told


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["s3://nobody-has-this"], "NoSuchBucket"),
        (["s3://nobody-has-this", "--name-prefix", "Other"], "no stack OtherPipeline"),
        (["nowhere"], "is not s3://BUCKET"),
        (["s3://nobody-has-this", "--from", "1d", "--to", "2d"], "--from is after --to"),
    ],
)
def test_what_cannot_be_done_is_said(
    world: OpenTrail, state: Path, arguments: list[str], complaint: str
) -> None:
    code, told = ingest(*arguments, state=state)

    assert code == 2
    assert complaint in told
