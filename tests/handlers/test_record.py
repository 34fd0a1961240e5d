"""The record function: SQS batch in, chunks on the delivery queue out."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lambdas.record import handler as record
from opentrail.adapters.aws.organizations import OwnOrganization
from opentrail.errors import SettingsError, StorageError
from opentrail.model.log_file import HISTORY
from opentrail.pipeline.record import Message
from tests.handlers.conftest import Invoke, sqs_batch
from tests.support.line import Line
from tests.support.records import ACCOUNT, envelope, make_record, to_bytes

ORGANIZATION = "o-exampleorgid"
MEMBER = "222222222222"


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


def test_history_is_asked_for_late_events_alone(line: Line) -> None:
    line.asked_history = "no-such-table"
    made = record.build(line.record_settings(), line.clients(None))
    now = line.now.timestamp()

    made.record([Message("m", envelope(to_bytes(make_record(eventTime="2026-01-10T04:10:00Z"))), now)], now)

    with pytest.raises(StorageError, match="no-such-table"):
        made.record(
            [Message("m", envelope(to_bytes(make_record(eventTime="2026-01-10T04:09:59Z"))), now)], now
        )


class Directory(OwnOrganization):
    """An organization that answers, or not."""

    def __init__(self, *accounts: str) -> None:
        super().__init__(dict)
        self.accounts = frozenset(accounts)
        self.silent = False
        self.asked = 0

    def members(self) -> dict[str, frozenset[str]]:
        self.asked += 1
        if self.silent:
            raise StorageError("list the accounts of the organization: TooManyRequests")
        return {ORGANIZATION: self.accounts}


def recorder(line: Line, directory: Directory) -> record.Recorder:
    """A record function that keeps its copies for a minute."""
    settings = replace(line.record_settings(), trail_cache_seconds=60)
    made = record.build(settings, line.clients(None))
    made.dispatcher.organization = directory
    return made


def destinations(made: record.Recorder, line: Line, account: str, seconds: float) -> list[str]:
    """Where a record of ``account`` goes, ``seconds`` after the line's beginning."""
    now = line.now.timestamp() + seconds
    event = make_record(recipientAccountId=account)
    made.record([Message("m", envelope(to_bytes(event), account=account), now)], now)
    return [d.name.rpartition("/")[2] for chunk in line.queued_chunks() for d in chunk.destinations]


def test_an_account_that_just_joined_is_recorded_at_once(line: Line) -> None:
    line.start_trail(organization_id=ORGANIZATION)
    directory = Directory(ACCOUNT)
    made = recorder(line, directory)
    destinations(made, line, ACCOUNT, 0)
    directory.accounts |= {MEMBER}

    assert destinations(made, line, MEMBER, 1) == ["main", HISTORY]


def test_the_organization_is_asked_as_seldom_as_the_trails_are_read(line: Line) -> None:
    line.start_trail(organization_id=ORGANIZATION)
    directory = Directory(ACCOUNT, MEMBER)
    made = recorder(line, directory)

    for seconds in (0, 1, 59):
        destinations(made, line, MEMBER, seconds)
    within = directory.asked
    destinations(made, line, MEMBER, 60)

    assert (within, directory.asked) == (1, 2)


def test_nobody_asks_for_an_organization_without_a_trail_of_one(line: Line) -> None:
    line.start_trail()
    directory = Directory()

    assert destinations(recorder(line, directory), line, MEMBER, 0) == [HISTORY]
    assert directory.asked == 0


def test_a_silent_organization_holds_the_first_batch_and_no_later_one(line: Line) -> None:
    line.start_trail(organization_id=ORGANIZATION)
    directory = Directory(ACCOUNT, MEMBER)
    made = recorder(line, directory)
    directory.silent = True
    with pytest.raises(StorageError, match="TooManyRequests"):
        destinations(made, line, MEMBER, 0)
    directory.silent = False
    destinations(made, line, MEMBER, 61)
    directory.silent = True

    assert destinations(made, line, MEMBER, 122) == ["main", HISTORY]
