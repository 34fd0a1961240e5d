"""Queues we send to: delivery, and the dead-letter queue for what cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from opentrail.adapters.aws.failure import storage_errors
from opentrail.errors import StorageError

MAX_ENTRIES = 10  # SendMessageBatch, SQS API reference
MAX_BATCH_BYTES = 1_048_576  # all bodies together; SQS quotas since January 2026
MAX_REASON_CHARACTERS = 1000


class SqsQueue:
    """One queue."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def send_all(self, bodies: Iterable[str]) -> int:
        """Send every body and answer their number; nothing is said to be sent that was not.

        Raises:
            StorageError: SQS refused one or did not answer; earlier ones may be sent.
        """
        sent = 0
        for batch in _batches(bodies):
            entries = [{"Id": str(i), "MessageBody": body} for i, body in enumerate(batch)]
            with storage_errors(f"send {len(batch)} messages to {self._url}"):
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            for failure in answer.get("Failed", []):
                raise StorageError(f"send to {self._url}: {failure.get('Message')}", failure["Code"])
            sent += len(batch)
        return sent

    def send_rejected(self, body: str, *, reason: str, message_id: str) -> None:
        """Send a message that could not be read, with why, where an operator finds it.

        Raises:
            StorageError: SQS refused or did not answer.
        """
        attributes = {
            "reason": {"DataType": "String", "StringValue": reason[:MAX_REASON_CHARACTERS]},
            "originalMessageId": {"DataType": "String", "StringValue": message_id},
        }
        with storage_errors(f"send to {self._url}"):
            self._client.send_message(QueueUrl=self._url, MessageBody=body, MessageAttributes=attributes)


def _batches(bodies: Iterable[str]) -> Iterator[Sequence[str]]:
    batch: list[str] = []
    size = 0
    for body in bodies:
        if batch and (len(batch) == MAX_ENTRIES or size + len(body) > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += len(body)  # chunk bodies are ASCII
    if batch:
        yield batch
