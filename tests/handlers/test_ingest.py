"""The ingest function: notices of CloudTrail's own files in, chunks on the delivery queue out."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lambdas.ingest import handler as ingest
from opentrail.format.notification import encode_notification
from opentrail.model.log_file import HISTORY
from tests.handlers.conftest import Invoke, sqs_batch
from tests.support.line import Line
from tests.support.records import BOTH_KINDS, envelope, make_data_record, make_record, to_bytes

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")


def lines_of(line: Line) -> list[bytes]:
    return [raw for chunk in line.queued_chunks() for raw in chunk.lines.split(b"\n")]


def reasons(line: Line) -> list[str]:
    return [message["MessageAttributes"]["reason"]["StringValue"] for message in line.rejected()]


def test_records_go_on_byte_for_byte_to_each_of_their_destinations(line: Line, invoke: Invoke) -> None:
    trail = line.start_trail(started_at=0.0)
    records = [to_bytes(make_record()), to_bytes(make_record())]

    answer = invoke(ingest, line.ingest_settings(), sqs_batch(line.put_source_file(*records)))

    (chunk,) = line.queued_chunks()
    assert answer == {"batchItemFailures": []}
    assert chunk.lines.split(b"\n") == records
    assert [destination.name for destination in chunk.destinations] == [trail.arn, HISTORY]


def test_what_event_bridge_brought_is_not_sent_again(line: Line, invoke: Invoke) -> None:
    both, only_here = to_bytes(make_record()), to_bytes(make_record())
    line.record([envelope(both)])
    line.deliver(line.queued_chunks())

    invoke(ingest, line.ingest_settings(), sqs_batch(line.put_source_file(both, only_here)))

    assert lines_of(line) == [only_here]


def test_data_events_are_always_new_for_history_has_none(line: Line, invoke: Invoke) -> None:
    raw = to_bytes(make_data_record())
    line.start_trail(started_at=0.0, event_selectors=BOTH_KINDS)

    invoke(ingest, line.ingest_settings(), sqs_batch(line.put_source_file(raw)))

    assert lines_of(line) == [raw]


def test_a_bad_file_is_set_aside_with_the_reason_and_holds_up_no_other(line: Line, invoke: Invoke) -> None:
    raw = to_bytes(make_record())
    good, bad = line.put_source_file(raw), line.put_source_file(token="badbadbadbadbad0")
    key = json.loads(bad)["detail"]["object"]["key"]
    line.client("s3").put_object(Bucket=line.source, Key=key, Body=b"\x1f\x8bnonsense")

    answer = invoke(ingest, line.ingest_settings(), sqs_batch(bad, good))

    (rejected,) = line.rejected()
    assert answer == {"batchItemFailures": []}
    assert rejected["Body"] == bad
    assert rejected["MessageAttributes"]["reason"]["StringValue"].startswith(f"{key}: broken gzip")
    assert lines_of(line) == [raw]


def test_a_file_with_a_bad_record_is_taken_and_set_aside(line: Line, invoke: Invoke) -> None:
    raw = to_bytes(make_record())

    invoke(ingest, line.ingest_settings(), sqs_batch(line.put_source_file(b"{}", raw)))

    (reason,) = reasons(line)
    assert "1 of 2 records unreadable, the others are taken: record 0: record has no eventID" in reason
    assert lines_of(line) == [raw]


def test_a_file_that_is_gone_is_set_aside(line: Line, invoke: Invoke) -> None:
    notice = line.put_source_file()
    line.client("s3").delete_object(Bucket=line.source, Key=json.loads(notice)["detail"]["object"]["key"])

    invoke(ingest, line.ingest_settings(), sqs_batch(notice))

    (reason,) = reasons(line)
    assert reason.endswith(" is gone")


def test_a_message_that_names_no_object_is_set_aside(line: Line, invoke: Invoke) -> None:
    invoke(ingest, line.ingest_settings(), sqs_batch("{}"))

    assert reasons(line) == ["message names no objects: nothing in it is known"]


def test_digests_and_insights_are_passed_over(line: Line, invoke: Invoke) -> None:
    insight = line.put_source_file(to_bytes(make_record()), folder="CloudTrail-Insight")
    digest = line.notice("AWSLogs/123456789012/CloudTrail-Digest/us-east-1/2026/01/10/d.json.gz")

    answer = invoke(ingest, line.ingest_settings(), sqs_batch(insight, digest))

    assert (answer, line.queued_chunks(), line.rejected()) == ({"batchItemFailures": []}, [], [])


def test_a_file_that_cannot_be_read_now_comes_again_alone(line: Line, invoke: Invoke) -> None:
    settings = line.ingest_settings()
    raw = to_bytes(make_record())
    notice = line.put_source_file(raw)
    line.client("dynamodb").delete_table(TableName=settings.history_table)
    digest = line.notice("AWSLogs/123456789012/CloudTrail-Digest/us-east-1/2026/01/10/d.json.gz")

    answer = invoke(ingest, settings, sqs_batch(notice, digest))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert line.queued_chunks() == []


# Loops


@pytest.mark.parametrize("whose", ["the log bucket", "a trail's bucket", "the history bucket"])
def test_what_opentrail_wrote_is_never_ingested(line: Line, invoke: Invoke, whose: str) -> None:
    buckets = {"the log bucket": line.bucket, "the history bucket": line.history_bucket}
    bucket = buckets.get(whose, line.source)
    if bucket == line.source:
        line.start_trail(bucket=line.source)
    line.record([envelope(to_bytes(make_record()))])
    line.start_trail("other")
    key = json.loads(line.put_source_file(to_bytes(make_record())))["detail"]["object"]["key"]
    line.queued_chunks()

    invoke(
        ingest,
        replace(line.ingest_settings(), source_bucket=bucket),
        sqs_batch(encode_notification(bucket, [key])),
    )

    (reason,) = reasons(line)
    assert reason.endswith(f"OpenTrail itself writes to s3://{bucket}: its own log files are not ingested")
    assert line.queued_chunks() == []


def test_a_bucket_that_is_not_the_source_is_refused(line: Line, invoke: Invoke) -> None:
    invoke(ingest, line.ingest_settings(), sqs_batch(encode_notification("somebody-elses", ["k"])))

    assert reasons(line) == ["k: s3://somebody-elses is not the source bucket"]


def test_keys_outside_the_prefix_are_not_looked_at(line: Line, invoke: Invoke) -> None:
    settings = replace(line.ingest_settings(), source_prefix="organization/")

    invoke(ingest, settings, sqs_batch(line.put_source_file(to_bytes(make_record()))))

    assert (line.queued_chunks(), line.rejected()) == ([], [])


def test_our_own_reading_of_the_bucket_is_not_recorded(line: Line, invoke: Invoke) -> None:
    role = line.ingest_settings().own_role_arns[0]
    ours = make_data_record(
        userIdentity={"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": role}}}
    )

    invoke(ingest, line.ingest_settings(), sqs_batch(line.put_source_file(to_bytes(ours))))

    assert line.queued_chunks() == []


def test_a_trail_takes_what_s3_took_after_its_start(line: Line, invoke: Invoke) -> None:
    line.start_trail(started_at=4e9)  # S3 says when it took the file, and that is now

    invoke(ingest, line.ingest_settings(), sqs_batch(line.put_source_file(to_bytes(make_record()))))

    (chunk,) = line.queued_chunks()
    assert [destination.name for destination in chunk.destinations] == [HISTORY]


def test_counts_and_no_records_are_logged(
    line: Line, invoke: Invoke, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    private = to_bytes(make_record(requestParameters={"userName": "very-private"}))

    invoke(
        ingest, line.ingest_settings(), sqs_batch(line.put_source_file(private, b'{"secret":"very-private"}'))
    )

    counted = json.loads(capsys.readouterr().out)
    facts = {entry.message: vars(entry) for entry in caplog.records}
    assert (counted["FilesIngested"], counted["EventsIngested"]) == ([1.0], [1.0])
    assert counted["RecordsUnreadable"] == [1.0]
    assert "very-private" not in f"{facts}{counted}"
