"""Event source mappings: batches, acknowledgement, draining; functions are plain Python here."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.local.pollers import Drained, Pollers, failed_identifiers
from opentrail.local.queues import find_queue, put_message
from opentrail.local.transport import Clients
from opentrail.local.worker import Answer
from tests.adapters.local.conftest import Notes, bodies, make_function, make_queue

SENT = {"m1", "m2", "m3"}


class Lambda:
    """Stands for Functions.invoke: remembers events and answers what the test wants."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.answer: Callable[[dict[str, Any]], Answer] = lambda event: Answer(payload=b"null")
        self.called = threading.Event()

    def __call__(self, function: Any, payload: bytes) -> Answer:
        event = json.loads(payload)
        self.events.append(event)
        answer = self.answer(event)
        self.called.set()
        return answer

    def batches(self) -> list[list[str]]:
        return [[record["body"] for record in event["Records"]] for event in self.events]


def failing(*wanted: str) -> Callable[[dict[str, Any]], Answer]:
    """Answer as a function that fails the messages with these bodies."""

    def answer(event: dict[str, Any]) -> Answer:
        failed = [r["messageId"] for r in event["Records"] if r["body"] in wanted]
        body = {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}
        return Answer(payload=json.dumps(body).encode())

    return answer


@pytest.fixture
def function() -> Lambda:
    return Lambda()


@pytest.fixture
def pollers(notes: Notes, function: Lambda) -> Iterator[Pollers]:
    made = Pollers(function)
    notes.message_added = made.message_added  # type: ignore[method-assign]
    yield made
    made.stop()


def mapped(
    clients: Clients, *messages: str, queue: dict[str, str] | None = None, **mapping: Any
) -> tuple[str, str]:
    """Make a queue with messages, mapped to a function; return its URL and ARN."""
    url, arn = make_queue(clients, **(queue or {}))
    make_function(clients, "")
    settings = {"BatchSize": 10, "FunctionResponseTypes": ["ReportBatchItemFailures"], **mapping}
    clients("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName="worker", **settings)
    for body in messages:
        put_message(find_queue(arn), body)
    return url, arn


def test_drain_hands_over_everything_in_batches(clients: Clients, pollers: Pollers, function: Lambda) -> None:
    url, arn = mapped(clients, *"abcde", BatchSize=2)

    drained = pollers.drain(arn)

    assert drained == Drained(taken=5, failed=0)
    assert function.batches() == [["a", "b"], ["c", "d"], ["e"]]
    assert bodies(clients, url) == []


def test_records_have_the_shape_lambda_gives_them(
    clients: Clients, pollers: Pollers, function: Lambda
) -> None:
    url, arn = mapped(clients)
    attributes = {"WHY": {"DataType": "String", "StringValue": "because"}}
    clients("sqs").send_message(QueueUrl=url, MessageBody="one", MessageAttributes=attributes)

    pollers.drain(arn)

    record = function.events[0]["Records"][0]
    assert record["body"] == "one"
    assert record["md5OfBody"] == "f97c5d29941bfb1b2fdab0874906ab82"
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == arn
    assert record["awsRegion"] == "us-east-1"
    assert record["messageAttributes"] == {
        "WHY": {
            "stringValue": "because",
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": "String",
        }
    }
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert int(record["attributes"]["SentTimestamp"]) > 1_700_000_000_000
    assert record["receiptHandle"]


def test_only_the_failed_messages_stay(clients: Clients, pollers: Pollers, function: Lambda) -> None:
    _, arn = mapped(clients, *"abc")
    function.answer = failing("b")

    drained = pollers.drain(arn)

    assert drained == Drained(taken=3, failed=1)
    assert [message.body for message in find_queue(arn)._messages] == ["b"]


def test_next_drain_tries_failed_messages_once_more(
    clients: Clients, pollers: Pollers, function: Lambda
) -> None:
    url, arn = mapped(clients, *"abc")
    function.answer = failing("b")
    pollers.drain(arn)
    function.answer = failing()

    drained = pollers.drain(arn)

    assert drained == Drained(taken=1, failed=0)
    assert function.batches()[-1] == ["b"]
    assert function.events[-1]["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"
    assert bodies(clients, url) == []


def test_poison_ends_in_the_dead_letter_queue(clients: Clients, pollers: Pollers, function: Lambda) -> None:
    dead_url, dead_arn = make_queue(clients, "dead")
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
    _, arn = mapped(clients, "poison", queue={"RedrivePolicy": redrive})
    function.answer = failing("poison")

    drained = [pollers.drain(arn) for _ in range(3)]

    assert drained == [Drained(1, 1), Drained(1, 1), Drained(0, 0)]
    assert bodies(clients, dead_url) == ["poison"]


def test_visibility_timeout_of_nothing_does_not_drain_for_ever(
    clients: Clients, pollers: Pollers, function: Lambda
) -> None:
    _, arn = mapped(clients, "a", queue={"VisibilityTimeout": "0"})
    function.answer = failing("a")

    assert pollers.drain(arn) == Drained(taken=1, failed=1)


def test_without_partial_responses_an_error_keeps_the_whole_batch(
    clients: Clients, pollers: Pollers, function: Lambda
) -> None:
    _, arn = mapped(clients, *"ab", FunctionResponseTypes=[])
    function.answer = lambda event: Answer(payload=b"{}", error="Unhandled")

    assert pollers.drain(arn) == Drained(taken=2, failed=2)


def test_batch_stays_under_the_payload_limit(clients: Clients, pollers: Pollers, function: Lambda) -> None:
    _, arn = mapped(clients, *["x" * 1_000_000] * 8, BatchSize=10)

    pollers.drain(arn)

    assert [len(batch) for batch in function.batches()] == [6, 2]


def test_filtered_messages_are_deleted_unseen(clients: Clients, pollers: Pollers, function: Lambda) -> None:
    pattern = json.dumps({"body": {"kind": ["wanted"]}})
    url, arn = mapped(
        clients,
        '{"kind": "wanted"}',
        '{"kind": "other"}',
        "text",
        FilterCriteria={"Filters": [{"Pattern": pattern}]},
    )

    pollers.drain(arn)

    assert function.batches() == [['{"kind": "wanted"}']]
    assert bodies(clients, url) == []


def test_disabled_mapping_takes_nothing(clients: Clients, pollers: Pollers, function: Lambda) -> None:
    url, arn = mapped(clients, "a", Enabled=False)

    assert pollers.drain(arn) == Drained()
    assert bodies(clients, url) == ["a"]


def test_background_poller_takes_what_is_sent(clients: Clients, pollers: Pollers, function: Lambda) -> None:
    url, _ = mapped(clients)
    pollers.start()

    clients("sqs").send_message(QueueUrl=url, MessageBody="one")

    assert function.called.wait(10)
    assert function.batches() == [["one"]]


def test_drain_waits_for_the_batch_the_background_is_working_on(
    clients: Clients, pollers: Pollers, function: Lambda
) -> None:
    url, arn = mapped(clients, MaximumBatchingWindowInSeconds=0)
    begun, go_on = threading.Event(), threading.Event()

    def slow(event: dict[str, Any]) -> Answer:
        begun.set()
        go_on.wait(10)
        return Answer(payload=b"null")

    function.answer = slow
    pollers.start()
    clients("sqs").send_message(QueueUrl=url, MessageBody="one")
    assert begun.wait(10)
    drains: list[Drained] = []
    drainer = threading.Thread(target=lambda: drains.append(pollers.drain(arn)))
    drainer.start()
    clients("sqs").send_message(QueueUrl=url, MessageBody="two")
    go_on.set()
    drainer.join(10)

    assert not drainer.is_alive()
    assert sorted(sum(function.batches(), [])) == ["one", "two"]
    assert find_queue(arn)._messages == []


def test_window_collects_a_batch_and_drain_does_not_wait_for_it(
    clients: Clients, pollers: Pollers, function: Lambda
) -> None:
    _, arn = mapped(clients, MaximumBatchingWindowInSeconds=300)
    pollers.start()
    for body in "abc":
        put_message(find_queue(arn), body)

    assert pollers.drain(arn) == Drained(taken=3, failed=0)
    assert function.batches() == [["a", "b", "c"]]


def test_full_batch_ends_the_window(clients: Clients, pollers: Pollers, function: Lambda) -> None:
    _, arn = mapped(clients, *"ab", BatchSize=2, MaximumBatchingWindowInSeconds=300)

    pollers.start()

    assert function.called.wait(10)
    assert function.batches() == [["a", "b"]]


def test_deleted_mapping_is_not_polled(clients: Clients, pollers: Pollers, function: Lambda) -> None:
    _, arn = mapped(clients, "a")
    pollers.start()
    function.called.wait(10)
    for mapping in clients("lambda").list_event_source_mappings()["EventSourceMappings"]:
        clients("lambda").delete_event_source_mapping(UUID=mapping["UUID"])
    put_message(find_queue(arn), "b")

    assert pollers.drain(arn) == Drained()
    assert pollers.describe() == []


@pytest.mark.parametrize(
    ("payload", "failed"),
    [
        (b"null", set()),
        (b"{}", set()),
        (b'{"batchItemFailures": null}', set()),
        (b'{"batchItemFailures": []}', set()),
        (b'{"batchItemFailures": [{"itemIdentifier": "m2"}]}', {"m2"}),
        (b'{"batchItemFailures": [{"itemIdentifier": ""}]}', SENT),
        (b'{"batchItemFailures": [{"itemIdentifier": null}]}', SENT),
        (b'{"batchItemFailures": [{"id": "m2"}]}', SENT),
        (b'{"batchItemFailures": [{"itemIdentifier": "unknown"}]}', SENT),
        (b'{"batchItemFailures": ["m2"]}', SENT),
        (b'{"batchItemFailures": "m2"}', SENT),
        (b'"text"', SENT),
        (b"not json", SENT),
    ],
)
def test_partial_batch_response(payload: bytes, failed: set[str]) -> None:
    assert failed_identifiers(Answer(payload=payload), SENT, partial=True) == failed


@given(st.sets(st.sampled_from(sorted(SENT))))
def test_exactly_the_listed_messages_stay(listed: set[str]) -> None:
    body = {"batchItemFailures": [{"itemIdentifier": name} for name in listed]}

    assert failed_identifiers(Answer(payload=json.dumps(body).encode()), SENT, partial=True) == listed


def test_error_of_the_function_fails_the_batch() -> None:
    assert failed_identifiers(Answer(payload=b"{}", error="Unhandled"), SENT, partial=True) == SENT
