"""The deliver function: SQS batch of chunks in, log files out, failures message by message."""

from __future__ import annotations

from lambdas.deliver import handler as deliver
from opentrail.format.chunk import encode_chunk
from opentrail.model.log_file import Destination
from tests.handlers.conftest import Invoke, sqs_batch
from tests.support.line import Line
from tests.support.values import START, make_chunk


def chunk_for(line: Line, *event_ids: str, bucket: str = "") -> str:
    trail = line.start_trail()
    destination = Destination(name=trail.arn, bucket=bucket or line.bucket, digested_since=START.timestamp())
    return encode_chunk(make_chunk(*event_ids, destinations=(destination,)))


def test_chunks_become_a_log_file(line: Line, invoke: Invoke) -> None:
    batch = sqs_batch(chunk_for(line, "a", "b"), chunk_for(line, "c"))

    answer = invoke(deliver, line.deliver_settings(), batch)

    assert answer == {"batchItemFailures": []}
    assert line.delivered_ids() == {"a": 1, "b": 1, "c": 1}
    assert len(line.logs()) == 1


def test_a_malformed_message_fails_alone(line: Line, invoke: Invoke) -> None:
    batch = sqs_batch(chunk_for(line, "a"), "{", chunk_for(line, "b"), "[" * 100_000)

    answer = invoke(deliver, line.deliver_settings(), batch)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m3"}]}
    assert line.delivered_ids() == {"a": 1, "b": 1}


def test_messages_of_a_destination_that_refuses_come_again_and_the_others_do_not(
    line: Line, invoke: Invoke
) -> None:
    batch = sqs_batch(chunk_for(line, "a"), chunk_for(line, "b", bucket="no-such-bucket"))

    answer = invoke(deliver, line.deliver_settings(), batch)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert line.delivered_ids() == {"a": 1}


def test_every_message_that_carries_a_failed_chunk_comes_again(line: Line, invoke: Invoke) -> None:
    body = chunk_for(line, "a", bucket="no-such-bucket")

    answer = invoke(deliver, line.deliver_settings(), sqs_batch(body, body))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]}


def test_a_batch_that_comes_again_is_acknowledged_and_stored_once(line: Line, invoke: Invoke) -> None:
    batch = sqs_batch(chunk_for(line, "a"))

    answers = [invoke(deliver, line.deliver_settings(), batch) for _ in range(2)]

    assert answers == [{"batchItemFailures": []}] * 2
    assert line.delivered_ids() == {"a": 1}


def test_file_names_end_in_sixteen_letters_and_digits_never_the_same() -> None:
    tokens = [deliver.new_token() for _ in range(50)]

    assert len(set(tokens)) == 50
    assert all(len(token) == 16 and token.isalnum() and token.isascii() for token in tokens)
