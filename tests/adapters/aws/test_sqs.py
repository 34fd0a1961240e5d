"""Queues we send to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.adapters.aws.sqs import MAX_BATCH_BYTES, MAX_ENTRIES, SqsQueue
from opentrail.errors import StorageError
from tests.support.aws import Clients, make_queue, take_all


class Listening:
    """An SQS client that keeps the batches it was sent, and refuses one body."""

    def __init__(self, refused: str = "") -> None:
        self.batches: list[list[str]] = []
        self._refused = refused

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        bodies = [entry["MessageBody"] for entry in Entries]
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        self.batches.append(bodies)
        if self._refused in bodies:
            return {"Successful": [], "Failed": [{"Id": "0", "Code": "InternalError", "Message": "no"}]}
        return {"Successful": Entries}


def test_every_body_reaches_the_queue(clients: Clients) -> None:
    url = make_queue(clients)

    sent = SqsQueue(clients("sqs"), url).send_all(f"body {i}" for i in range(23))

    assert sent == 23
    assert {message["Body"] for message in take_all(clients, url)} == {f"body {i}" for i in range(23)}


@given(sizes=st.lists(st.sampled_from([1, 1000, MAX_BATCH_BYTES // 3, MAX_BATCH_BYTES]), max_size=25))
def test_batches_keep_the_order_and_both_limits(sizes: list[int]) -> None:
    listening = Listening()
    bodies = ["x" * size for size in sizes]

    sent = SqsQueue(listening, "url").send_all(bodies)

    assert sent == len(bodies)
    assert [body for batch in listening.batches for body in batch] == bodies
    assert all(1 <= len(batch) <= MAX_ENTRIES for batch in listening.batches)
    assert all(sum(map(len, batch)) <= MAX_BATCH_BYTES for batch in listening.batches)


def test_one_refused_message_of_a_batch_is_an_error() -> None:
    with pytest.raises(StorageError, match="no") as caught:
        SqsQueue(Listening(refused="bad"), "url").send_all(["good", "bad"])

    assert caught.value.code == "InternalError"


def test_nothing_is_sent_for_nothing() -> None:
    listening = Listening()

    assert SqsQueue(listening, "url").send_all([]) == 0
    assert listening.batches == []


def test_a_queue_that_is_not_there_is_a_storage_error(clients: Clients) -> None:
    gone = f"{make_queue(clients)}-gone"

    with pytest.raises(StorageError, match="NonExistentQueue"):
        SqsQueue(clients("sqs"), gone).send_all(["body"])


def test_a_rejected_message_carries_its_reason_and_where_it_came_from(clients: Clients) -> None:
    url = make_queue(clients)

    SqsQueue(clients("sqs"), url).send_rejected("{", reason="r" * 2000, message_id="m1")

    (message,) = take_all(clients, url)
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert message["Body"] == "{"
    assert attributes == {"reason": "r" * 1000, "originalMessageId": "m1"}
