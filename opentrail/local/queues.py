"""Direct work on moto's SQS queues, where going through its API costs a pass over the queue per message.

Same rules as SQS: visibility timeout, delay, first-in-first-out groups, dead-letter
queue after ``maxReceiveCount`` receives. Every function holds the queue's lock, which
``moto_patches`` also makes moto's own API take.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any
from uuid import uuid4

from moto.core.utils import unix_time_millis
from moto.sqs.models import Message, sqs_backends

from opentrail.errors import StorageError
from opentrail.local.backends import existing

Queue = Any  # moto's model: it sets most of its attributes by name, which no checker sees

MAX_MESSAGE_BYTES = 1_048_576  # SQS developer guide, "Amazon SQS message quotas"


def find_queue(arn: str) -> Queue:
    """Return moto's queue of that ARN.

    Raises:
        StorageError: code ``AWS.SimpleQueueService.NonExistentQueue``.
    """
    _, _, _, region, account, name = arn.split(":", 5)
    backend = existing(sqs_backends, account, region)
    queue = backend.queues.get(name) if backend else None
    if queue is None:
        raise StorageError(f"send to {arn}: no such queue", "AWS.SimpleQueueService.NonExistentQueue")
    return queue


def put_message(
    queue: Queue, body: str, *, group_id: str = "", attributes: Mapping[str, str] | None = None
) -> None:
    """Add one message. ``attributes`` become string message attributes.

    Raises:
        StorageError: the message is larger than SQS takes, or a FIFO queue gets no group.
    """
    if len(body) > MAX_MESSAGE_BYTES or len(body.encode()) > MAX_MESSAGE_BYTES:
        raise StorageError(f"send to {queue.queue_arn}: message is over 1 MiB", "InvalidParameterValue")
    if queue.fifo_queue and not group_id:
        raise StorageError(f"send to {queue.queue_arn}: no MessageGroupId", "MissingParameter")
    message = Message(str(uuid4()), body)
    message.message_attributes = {
        name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()
    }
    if group_id:
        message.group_id = group_id
    if queue.fifo_queue:
        message.deduplication_id = hashlib.sha256(body.encode()).hexdigest()
        message.sequence_number = f"{unix_time_millis():.0f}".zfill(20)
    message.mark_sent(delay_seconds=queue.delay_seconds)
    queue.add_message(message)


def take_messages(queue: Queue, count: int, accept: Callable[[Message], bool]) -> list[Message]:
    """Receive up to ``count`` visible messages, oldest first, until ``accept`` refuses one.

    The refused message stays visible. Messages received ``maxReceiveCount`` times
    already move to the dead-letter queue instead.
    """
    taken: list[Message] = []
    dead: list[Message] = []
    with queue._messages_lock:
        for message in _deliverable(queue):
            if _is_exhausted(queue, message):
                dead.append(message)
                continue
            if len(taken) >= count or not accept(message):
                break
            queue.pending_messages.add(message)
            message.mark_received(visibility_timeout=queue.visibility_timeout)
            taken.append(message)
        if dead:
            queue._messages = [message for message in queue._messages if message not in dead]
    for message in dead:
        queue.dead_letter_queue.add_message(message)
    return taken


def _deliverable(queue: Queue) -> Iterator[Message]:
    now = unix_time_millis()
    queue._pending_messages = {message for message in queue._pending_messages if message.visible_at >= now}
    # What SQS holds back while a message of the same group is in flight, it may hand out in one batch.
    held = {message.group_id for message in queue._pending_messages} if queue.fifo_queue else set()
    for message in queue._messages:
        if (
            message.visible_at < now
            and message.delayed_until <= now
            and message.group_id not in held - {None}
        ):
            yield message


def _is_exhausted(queue: Queue, message: Message) -> bool:
    return (
        queue.dead_letter_queue is not None
        and bool(queue.redrive_policy)
        and message.approximate_receive_count >= queue.redrive_policy["maxReceiveCount"]
    )


def delete_messages(queue: Queue, done: Collection[Message]) -> None:
    """Delete received messages in one pass."""
    if not done:
        return
    ids = {message.id for message in done}
    with queue._messages_lock:
        queue._messages = [message for message in queue._messages if message.id not in ids]
        queue._pending_messages = {message for message in queue._pending_messages if message.id not in ids}


def release_messages(queue: Queue, held: Collection[Message]) -> None:
    """Make received messages visible again at once, those that are still on the queue."""
    ids = {message.id for message in held}
    with queue._messages_lock:
        for message in queue._messages:
            if message.id in ids:
                message.visible_at = 0.0
                queue._pending_messages.discard(message)


def end_delays(queue: Queue) -> None:
    """Let messages be received that still wait for the queue's delay."""
    with queue._messages_lock:
        for message in queue._messages:
            message.delayed_until = 0


def visible_count(queue: Queue, limit: int) -> int:
    """Count visible messages, but stop at ``limit``: a long queue is not walked to its end."""
    now = unix_time_millis()
    count = 0
    with queue._messages_lock:
        for message in queue._messages:
            if message.visible_at < now and message.delayed_until <= now:
                count += 1
                if count >= limit:
                    break
    return count
