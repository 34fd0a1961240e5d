"""SQS event source mappings: messages -> batches for a function, acknowledged as Lambda does it.

One batch at a time per mapping, which keeps log files few and full and lies within
any maximum concurrency a mapping can set (the least is 2). ``drain`` and the
background thread of a mapping take turns, so no message is handled twice at once.

Source: Lambda developer guide, "Using Lambda with Amazon SQS", "Handling errors for
an SQS event source in Lambda".
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from opentrail.errors import OpenTrailError
from opentrail.local.backends import every
from opentrail.local.functions import find_function
from opentrail.local.patterns import compile_pattern
from opentrail.local.queues import (
    delete_messages,
    find_queue,
    release_messages,
    take_messages,
    visible_count,
)
from opentrail.local.worker import Answer

MAX_BATCH_BYTES = 6 * 1024 * 1024  # Lambda's payload quota
_LOOK_AGAIN_SECONDS = 1.0  # messages whose visibility timeout or delay ended make no noise
_COUNT_SECONDS = 0.05  # between two looks at a queue whose batching window is open

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Drained:
    """What a drain did: ``taken`` messages reached the function, ``failed`` of them were not acknowledged."""

    taken: int = 0
    failed: int = 0

    def __add__(self, other: Drained) -> Drained:
        return Drained(self.taken + other.taken, self.failed + other.failed)


class Pollers:
    """One poller per enabled SQS mapping. ``invoke(function, payload)`` runs a function."""

    def __init__(self, invoke: Callable[[Any, bytes], Answer]) -> None:
        self._invoke = invoke
        self._lock = threading.Lock()
        self._pollers: dict[str, _Poller] = {}
        self._started = False

    def start(self) -> None:
        """Begin to poll in the background."""
        self._started = True
        self.refresh()

    def stop(self) -> Callable[[], None]:
        """Take no further batch. Call what is returned to wait for those under way."""
        self._started = False
        with self._lock:
            ended, self._pollers = list(self._pollers.values()), {}
        for poller in ended:
            poller.stop()

        def wait() -> None:
            for poller in ended:
                poller.wait()

        return wait

    def refresh(self) -> None:
        """Follow the mappings as they are now: new ones get a poller, deleted ones lose theirs."""
        mappings = {mapping.uuid: mapping for mapping in _sqs_mappings()}
        with self._lock:
            gone = [self._pollers.pop(uuid) for uuid in list(self._pollers) if uuid not in mappings]
            for uuid, mapping in mappings.items():
                if uuid not in self._pollers:
                    self._pollers[uuid] = _Poller(mapping, self._invoke)
                    if self._started:
                        self._pollers[uuid].start()
        for poller in gone:
            poller.stop()

    def message_added(self, queue: Any) -> None:
        """Wake the pollers of moto's ``queue``."""
        arn = queue.queue_arn
        for poller in list(self._pollers.values()):
            if poller.mapping.event_source_arn == arn:
                poller.wake.set()

    def drain(self, queue_arn: str, *, retry: bool = True) -> Drained:
        """Hand the queue's messages to its functions until no visible one is left.

        With ``retry``, messages that failed before and wait for their visibility timeout are
        tried once more.
        """
        self.refresh()
        with self._lock:
            pollers = [p for p in self._pollers.values() if p.mapping.event_source_arn == queue_arn]
        return sum((poller.drain(retry) for poller in pollers), Drained())

    def acknowledged(self, queue_arn: str) -> dict[str, int]:
        """Count the queue's messages that its functions took and did not fail, ever, by mapping."""
        with self._lock:
            pollers = [p for p in self._pollers.values() if p.mapping.event_source_arn == queue_arn]
        return {poller.mapping.uuid: poller.total.taken - poller.total.failed for poller in pollers}

    def describe(self) -> list[dict[str, Any]]:
        """Return the mappings as ``status`` shows them."""
        with self._lock:
            pollers = list(self._pollers.values())
        return [
            {
                "queue": poller.mapping.event_source_arn,
                "function": poller.mapping.function_arn,
                "enabled": _is_enabled(poller.mapping),
                "taken": poller.total.taken,
                "failed": poller.total.failed,
            }
            for poller in pollers
        ]


class _Poller:
    def __init__(self, mapping: Any, invoke: Callable[[Any, bytes], Answer]) -> None:
        self.mapping = mapping
        self.wake = threading.Event()
        self.total = Drained()
        self._invoke = invoke
        self._turn = threading.Lock()
        self._stopped = threading.Event()
        self._unacknowledged: dict[str, Any] = {}

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True, name=f"poll {self.mapping.event_source_arn}").start()

    def stop(self) -> None:
        self._stopped.set()
        self.wake.set()

    def wait(self) -> None:
        with self._turn:  # whoever is working on a batch holds it
            return

    def drain(self, retry: bool) -> Drained:
        with self._turn:
            done = Drained()
            if self._stopped.is_set() or not _is_enabled(self.mapping):
                return done
            queue = find_queue(self.mapping.event_source_arn)
            if retry:
                release_messages(queue, self._unacknowledged.values())
                self._unacknowledged.clear()
            failed: set[str] = set()
            while not self._stopped.is_set() and (batch := self._batch(queue, failed)).taken:
                done += batch
                failed.update(self._unacknowledged)
            return done

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._wait_for_batch()
                with self._turn:
                    if not self._stopped.is_set() and _is_enabled(self.mapping):
                        self._batch(find_queue(self.mapping.event_source_arn))
            except OpenTrailError as error:  # the queue or the function was deleted under the mapping
                log.warning("event source mapping %s: %s", self.mapping.uuid, error)
                self._stopped.wait(_LOOK_AGAIN_SECONDS)

    def _wait_for_batch(self) -> None:
        """Return when there is a message and the batching window is over, the batch full, or we end."""
        queue = find_queue(self.mapping.event_source_arn)
        while not visible_count(queue, 1):
            self.wake.clear()
            if visible_count(queue, 1):
                break
            self.wake.wait(_LOOK_AGAIN_SECONDS)
            if self._stopped.is_set():
                return
        end = time.monotonic() + float(self.mapping.max_batch_window or 0)
        while (left := end - time.monotonic()) > 0:
            if visible_count(queue, self.mapping.batch_size) >= self.mapping.batch_size:
                return
            if self._stopped.wait(min(_COUNT_SECONDS, left)):
                return

    def _batch(self, queue: Any, failed_before: Collection[str] = ()) -> Drained:
        # A message that failed in this drain and is visible again at once would never let it end.
        batch = _Batch(failed_before)
        messages = take_messages(queue, self.mapping.batch_size, batch.accept)
        if not messages:
            return Drained()
        unwanted = [message for message in messages if not _is_wanted(self.mapping, message)]
        delete_messages(queue, unwanted)
        wanted = [message for message in messages if message not in unwanted]
        failed = self._handle(queue, wanted) if wanted else []
        for message in messages:
            self._unacknowledged.pop(message.id, None)
        self._unacknowledged.update({message.id: message for message in failed})
        done = Drained(len(messages), len(failed))
        self.total += done
        return done

    def _handle(self, queue: Any, messages: list[Any]) -> list[Any]:
        function = find_function(self.mapping.function_arn)
        payload = b'{"Records":[' + b",".join(_record(queue, message) for message in messages) + b"]}"
        answer = self._invoke(function, payload)
        partial = "ReportBatchItemFailures" in (self.mapping.function_response_types or ())
        failed_ids = failed_identifiers(answer, {message.id for message in messages}, partial=partial)
        failed = [message for message in messages if message.id in failed_ids]
        delete_messages(queue, [message for message in messages if message.id not in failed_ids])
        if failed:
            log.warning("%s failed %d of %d messages", function.function_name, len(failed), len(messages))
        return failed


class _Batch:
    """Accepts messages while they fit into one payload, up to the first that is not wanted again."""

    def __init__(self, unwanted: Collection[str]) -> None:
        self._unwanted = unwanted
        self._bytes = len('{"Records":[]}')

    def accept(self, message: Any) -> bool:
        # The rest of a record is about 600 bytes; message attributes are rare.
        size = len(json.dumps([message.body, list(message.message_attributes.items())], default=str)) + 1024
        if message.id in self._unwanted or self._bytes + size > MAX_BATCH_BYTES:
            return False
        self._bytes += size
        return True


def failed_identifiers(answer: Answer, sent: set[str], *, partial: bool) -> set[str]:
    """Return the ids of the messages that stay on the queue after ``answer``.

    With ``partial`` (ReportBatchItemFailures) these are the ones the answer lists; an answer
    that breaks the format, or names an id that was not sent, fails the whole batch. ``null``,
    an empty object and an empty or absent list mean success.
    """
    if answer.error:
        return set(sent)
    if not partial:
        return set()
    try:
        body = json.loads(answer.payload)
    except ValueError:
        return set(sent)
    if body is None:
        return set()
    if not isinstance(body, dict):
        return set(sent)
    return _listed(body.get("batchItemFailures"), sent)


def _listed(failures: Any, sent: set[str]) -> set[str]:
    if failures is None:
        return set()
    if not isinstance(failures, list) or any(not isinstance(item, dict) for item in failures):
        return set(sent)
    ids = [item.get("itemIdentifier") for item in failures]
    if any(not isinstance(name, str) or name not in sent for name in ids):
        return set(sent)
    return {str(name) for name in ids}


def _sqs_mappings() -> Iterable[Any]:
    from moto.awslambda.models import lambda_backends

    for backend in every(lambda_backends):
        for mapping in list(backend._event_source_mappings.values()):
            if ":sqs:" in mapping.event_source_arn:
                yield mapping


def _is_enabled(mapping: Any) -> bool:
    # Enabled arrives as a boolean or, from templates, as text.
    return str(mapping.enabled).lower() != "false"


def _is_wanted(mapping: Any, message: Any) -> bool:
    filters = (mapping.filter_criteria or {}).get("Filters") or []
    if not filters:
        return True
    try:
        body = json.loads(message.body)
    except ValueError:
        body = message.body
    return any(compile_pattern(entry.get("Pattern") or "{}")({"body": body}) for entry in filters)


def _record(queue: Any, message: Any) -> bytes:
    attributes = {
        "ApproximateReceiveCount": str(max(1, message.approximate_receive_count)),
        "SentTimestamp": str(message.sent_timestamp),
        "SenderId": message.sender_id,
        "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp or ""),
    }
    if message.group_id:
        attributes["MessageGroupId"] = message.group_id
    if queue.fifo_queue:
        attributes["MessageDeduplicationId"] = message.deduplication_id or ""
        attributes["SequenceNumber"] = message.sequence_number or ""
    record = {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": {name: _attribute(value) for name, value in message.message_attributes.items()},
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.queue_arn,
        "awsRegion": queue.region,
    }
    return json.dumps(record, separators=(",", ":")).encode()


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    attribute: dict[str, Any] = {
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": value["DataType"],
    }
    if value.get("StringValue") is not None:
        attribute["stringValue"] = value["StringValue"]
    if value.get("BinaryValue") is not None:
        binary = value["BinaryValue"]
        attribute["binaryValue"] = binary.decode() if isinstance(binary, bytes) else binary
    return attribute
