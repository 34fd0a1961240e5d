"""Direct work on moto's queues follows SQS's rules and agrees with moto's own API."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.errors import StorageError
from opentrail.local.queues import (
    delete_messages,
    find_queue,
    put_message,
    release_messages,
    take_messages,
    visible_count,
)
from opentrail.local.transport import Clients
from tests.adapters.local.conftest import Notes, bodies, make_queue

pytestmark = pytest.mark.usefixtures("notes")


def anything(_: Any) -> bool:
    return True


def taken(queue: Any, count: int = 10) -> list[str]:
    return [message.body for message in take_messages(queue, count, anything)]


def test_message_put_here_is_received_through_the_api(clients: Clients, notes: Notes) -> None:
    url, arn = make_queue(clients)

    put_message(find_queue(arn), "h\u00e9llo", attributes={"WHY": "because"})

    received = clients("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"][0]
    assert received["Body"] == "h\u00e9llo"
    assert received["MessageAttributes"]["WHY"]["StringValue"] == "because"
    assert notes.queues == ["inbox"]


def test_messages_are_taken_oldest_first_and_only_once(clients: Clients) -> None:
    url, arn = make_queue(clients)
    for body in "abc":
        clients("sqs").send_message(QueueUrl=url, MessageBody=body)
    queue = find_queue(arn)

    assert taken(queue, 2) == ["a", "b"]
    assert visible_count(queue, 10) == 1
    assert bodies(clients, url) == ["c"]
    assert taken(queue) == []


def test_refused_message_stays_visible(clients: Clients) -> None:
    url, arn = make_queue(clients)
    for body in "abc":
        clients("sqs").send_message(QueueUrl=url, MessageBody=body)
    queue = find_queue(arn)

    got = take_messages(queue, 10, lambda message: message.body != "b")

    assert [message.body for message in got] == ["a"]
    assert taken(queue) == ["b", "c"]


def test_deleted_messages_are_gone_and_released_ones_are_back(clients: Clients) -> None:
    _, arn = make_queue(clients)
    queue = find_queue(arn)
    for body in "abc":
        put_message(queue, body)
    first, second, _ = take_messages(queue, 10, anything)

    delete_messages(queue, [first])
    release_messages(queue, [second])

    assert taken(queue) == ["b"]
    assert {message.body for message in queue._messages} == {"b", "c"}


def test_message_received_too_often_moves_to_the_dead_letter_queue(clients: Clients) -> None:
    dead_url, dead_arn = make_queue(clients, "dead")
    redrive = f'{{"deadLetterTargetArn": "{dead_arn}", "maxReceiveCount": 2}}'
    _, arn = make_queue(clients, RedrivePolicy=redrive)
    queue = find_queue(arn)
    put_message(queue, "poison")
    put_message(queue, "good")

    for _ in range(2):
        release_messages(queue, take_messages(queue, 1, anything))
    left = taken(queue)

    assert left == ["good"]
    assert bodies(clients, dead_url) == ["poison"]


def test_delayed_message_is_not_visible_yet(clients: Clients) -> None:
    url, arn = make_queue(clients)
    clients("sqs").send_message(QueueUrl=url, MessageBody="later", DelaySeconds=900)

    assert visible_count(find_queue(arn), 10) == 0
    assert taken(find_queue(arn)) == []


def test_group_in_flight_holds_back_its_messages(clients: Clients) -> None:
    _, arn = make_queue(clients, "inbox.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    queue = find_queue(arn)
    for body, group in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        put_message(queue, body, group_id=group)

    first = take_messages(queue, 1, anything)
    second = taken(queue)
    delete_messages(queue, first)

    assert [message.body for message in first] == ["a1"]
    assert second == ["b1"]
    assert taken(queue) == ["a2"]


def test_fifo_queue_takes_equal_messages_once(clients: Clients) -> None:
    _, arn = make_queue(clients, "inbox.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    queue = find_queue(arn)
    for _ in range(2):
        put_message(queue, "same", group_id="g")

    assert taken(queue) == ["same"]


def test_fifo_queue_needs_a_group(clients: Clients) -> None:
    _, arn = make_queue(clients, "inbox.fifo", FifoQueue="true")

    with pytest.raises(StorageError, match="MessageGroupId"):
        put_message(find_queue(arn), "body")


def test_message_over_a_mebibyte_is_refused(clients: Clients) -> None:
    _, arn = make_queue(clients)

    with pytest.raises(StorageError, match="over 1 MiB"):
        put_message(find_queue(arn), "x" * 1_048_577)


@pytest.mark.parametrize(
    "arn", ["arn:aws:sqs:us-east-1:123456789012:absent", "arn:aws:sqs:eu-west-1:999999999999:inbox"]
)
def test_absent_queue_is_named(clients: Clients, arn: str) -> None:
    make_queue(clients)

    with pytest.raises(StorageError, match="no such queue") as error:
        find_queue(arn)

    assert error.value.code == "AWS.SimpleQueueService.NonExistentQueue"


def test_looking_for_a_queue_creates_no_backend() -> None:
    from moto.sqs.models import sqs_backends

    with pytest.raises(StorageError):
        find_queue("arn:aws:sqs:us-east-1:555555555555:absent")

    assert "555555555555" not in sqs_backends
