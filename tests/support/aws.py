"""Things made in moto for one test: a bucket, a table, a queue, each under a name of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

Clients = Callable[[str], Any]

_numbers = itertools.count()


def make_bucket(clients: Clients) -> str:
    """An empty bucket."""
    name = f"audit-{next(_numbers)}"
    clients("s3").create_bucket(Bucket=name)
    return name


def make_table(clients: Clients) -> str:
    """An empty table keyed as all of ours are."""
    name = f"table-{next(_numbers)}"
    clients("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def make_queue(clients: Clients) -> str:
    """The URL of an empty queue."""
    url: str = clients("sqs").create_queue(QueueName=f"queue-{next(_numbers)}")["QueueUrl"]
    return url


def take_all(clients: Clients, url: str) -> list[dict[str, Any]]:
    """Every message of a queue, taken off it."""
    sqs = clients("sqs")
    messages: list[dict[str, Any]] = []
    while found := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages"):
        for message in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        messages += found
    return messages
