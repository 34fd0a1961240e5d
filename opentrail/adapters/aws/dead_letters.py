"""A dead-letter queue: what lies in it and why, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from opentrail.adapters.aws.failure import storage_errors
from opentrail.errors import StorageError

MAX_RECEIVE = 10  # ReceiveMessage, SQS API reference
# Long enough that a message is not met twice in one pass, short enough that another attempt can soon follow.
HOLD_SECONDS = 60


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message that was given up."""

    id: str
    body: str
    reason: str  # what the record function said of it; empty when it failed too often
    receipt: str


class DeadLetters:
    """The dead letters of one queue."""

    def __init__(self, sqs: Any, *, url: str, source_url: str) -> None:
        self._sqs = sqs
        self._url = url
        self._source_url = source_url

    def read(self) -> Iterator[DeadLetter]:
        """Each message once; they are hidden from others for a minute.

        Raises:
            StorageError: SQS refused or did not answer.
        """
        seen: set[str] = set()
        while True:
            with storage_errors(f"receive from {self._url}"):
                answer = self._sqs.receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=MAX_RECEIVE,
                    VisibilityTimeout=HOLD_SECONDS,
                    MessageAttributeNames=["All"],
                )
            new = [m for m in answer.get("Messages", []) if m["MessageId"] not in seen]
            if not new:
                return
            seen |= {message["MessageId"] for message in new}
            yield from map(_letter, new)

    def send_back(self, letter: DeadLetter) -> None:
        """Put it on its queue again, and only then take it from here: at worst it is there twice.

        Raises:
            StorageError: SQS refused or did not answer.
        """
        with storage_errors(f"send to {self._source_url}"):
            self._sqs.send_message(QueueUrl=self._source_url, MessageBody=letter.body)
        with storage_errors(f"delete from {self._url}"):
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=letter.receipt)

    def release(self, letter: DeadLetter) -> None:
        """Let others see it again at once.

        Raises:
            StorageError: SQS refused or did not answer.
        """
        try:
            with storage_errors(f"release a message of {self._url}"):
                self._sqs.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=letter.receipt, VisibilityTimeout=0
                )
        except StorageError as error:
            if error.code != "MessageNotInflight":  # it is visible already
                raise


def _letter(message: dict[str, Any]) -> DeadLetter:
    reason = message.get("MessageAttributes", {}).get("reason", {}).get("StringValue", "")
    return DeadLetter(message["MessageId"], message["Body"], reason, message["ReceiptHandle"])
