"""The record function: SQS batch in, chunks on the delivery queue out."""

from __future__ import annotations

import json

import pytest

from lambdas.record import handler as record
from opentrail.errors import SettingsError, StorageError
from opentrail.model.log_file import HISTORY
from tests.handlers.conftest import Invoke, sqs_batch
from tests.support.line import Line
from tests.support.records import envelope, make_record, to_bytes


def test_records_go_to_the_delivery_queue_for_each_destination(line: Line, invoke: Invoke) -> None:
    trail = line.start_trail()
    records = [make_record(), make_record()]

    answer = invoke(record, line.record_settings(), sqs_batch(*[envelope(to_bytes(r)) for r in records]))

    (chunk,) = line.queued_chunks()
    assert answer == {"batchItemFailures": []}
    assert chunk.lines.split(b"\n") == [to_bytes(r) for r in records]
    assert [destination.name for destination in chunk.destinations] == [trail.arn, HISTORY]


def test_an_unreadable_message_is_set_aside_with_its_reason_and_not_retried(
    line: Line, invoke: Invoke
) -> None:
    good = envelope(to_bytes(make_record()))

    answer = invoke(record, line.record_settings(), sqs_batch(good, "{"))

    (rejected,) = line.rejected()
    attributes = rejected["MessageAttributes"]
    assert answer == {"batchItemFailures": []}
    assert rejected["Body"] == "{"
    assert attributes["originalMessageId"]["StringValue"] == "m1"
    assert attributes["reason"]["StringValue"].startswith("message is not an EventBridge event: ")
    assert [chunk.count for chunk in line.queued_chunks()] == [1]


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_a_batch_comes_again_whole_when_aws_fails(line: Line, invoke: Invoke) -> None:
    settings = line.record_settings()
    line.client("sqs").delete_queue(QueueUrl=line.queue)

    with pytest.raises(StorageError, match="NonExistentQueue"):
        invoke(record, settings, sqs_batch(envelope(to_bytes(make_record()))))

    assert line.rejected() == []


def test_the_same_batch_twice_gives_the_same_chunks(line: Line, invoke: Invoke) -> None:
    line.start_trail()
    batch = sqs_batch(*[envelope(to_bytes(make_record())) for _ in range(3)])

    for _ in range(2):
        invoke(record, line.record_settings(), batch)

    first, again = line.queued_chunks()
    assert first == again


def test_a_running_trail_takes_what_the_queue_took_after_its_start(line: Line, invoke: Invoke) -> None:
    trail = line.start_trail(started_at=1768018831.5)
    body = envelope(to_bytes(make_record()))

    for sent in ("1768018831499", "1768018831500"):
        invoke(record, line.record_settings(), sqs_batch(body, sent=sent))

    names = [[destination.name for destination in chunk.destinations] for chunk in line.queued_chunks()]
    assert sorted(names) == sorted([[HISTORY], [trail.arn, HISTORY]])


def test_a_log_line_counts_records_and_shows_none(
    line: Line,
    invoke: Invoke,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = make_record(requestParameters={"userName": "very-private"})

    invoke(record, line.record_settings(), sqs_batch(envelope(to_bytes(made)), '{"secret":"very-private"'))

    facts = {entry.message: vars(entry) for entry in caplog.records}
    counted = json.loads(capsys.readouterr().out)
    assert (facts["recorded"]["events"], facts["message rejected"]["message_id"]) == (1, "m1")
    assert (counted["EventsRecorded"], counted["MessagesRejected"]) == ([1.0], [1.0])
    assert "very-private" not in f"{facts}{counted}"


def test_every_missing_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    record.wired.cache_clear()

    with pytest.raises(SettingsError) as caught:
        record.wired()

    for name in ("OPENTRAIL_TRAILS_TABLE", "OPENTRAIL_DELIVERY_QUEUE_URL", "OPENTRAIL_MAX_CHUNK_BYTES"):
        assert f"{name} is not set" in str(caught.value)
