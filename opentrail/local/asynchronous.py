"""Lambda's asynchronous invocation: a queue per function, retries, destinations.

Retries follow at once; Lambda waits one and two minutes first, which nobody at a
laptop wants to sit through.

Source: Lambda developer guide, "Invoking a Lambda function asynchronously" and
"Capturing records of Lambda asynchronous invocations".
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from opentrail.errors import StorageError
from opentrail.local.worker import Answer

DEFAULT_RETRIES = 2

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Event:
    function: Any
    payload: bytes


class AsyncInvoker:
    """Runs events in the order they came, one thread per function that ever got one."""

    def __init__(
        self,
        invoke: Callable[[Any, bytes], Answer],
        send: Callable[[str, bytes], None],
    ) -> None:
        """``send(arn, body)`` delivers to a destination or dead-letter queue."""
        self._invoke = invoke
        self._send = send
        self._lock = threading.Lock()
        self._queues: dict[str, queue.SimpleQueue[_Event | None]] = {}
        self._unfinished = 0
        self._finished = threading.Condition(self._lock)
        self.failed = 0  # events that failed at every attempt

    def submit(self, function: Any, payload: bytes) -> None:
        """Take an event and return; its outcome goes to the function's destinations."""
        with self._lock:
            line = self._queues.get(function.function_arn)
            if line is None:
                line = self._queues[function.function_arn] = queue.SimpleQueue()
                threading.Thread(target=self._work, args=(line,), daemon=True).start()
            self._unfinished += 1
        line.put(_Event(function, payload))

    def process(self, function: Any, payload: bytes) -> None:
        """Run an event with its retries now, in the caller's thread, and report to its destinations."""
        self._process(_Event(function, payload), lambda: True)

    def wait_idle(self, timeout: float) -> bool:
        """Wait until every submitted event is done; False when ``timeout`` seconds passed first."""
        with self._finished:
            return self._finished.wait_for(lambda: self._unfinished == 0, timeout)

    def stop(self) -> None:
        """Drop the events that wait; threads end, without another retry, after the one at work."""
        with self._lock:
            lines, self._queues = list(self._queues.values()), {}
        for line in lines:
            self._drop(line)
            line.put(None)

    def _drop(self, line: queue.SimpleQueue[_Event | None]) -> None:
        while True:
            try:
                line.get_nowait()
            except queue.Empty:
                return
            self._finish_one()

    def _finish_one(self) -> None:
        with self._finished:
            self._unfinished -= 1
            self._finished.notify_all()

    def _is_current(self, event: _Event, line: queue.SimpleQueue[_Event | None]) -> bool:
        with self._lock:
            return self._queues.get(event.function.function_arn) is line

    def _work(self, line: queue.SimpleQueue[_Event | None]) -> None:
        while (event := line.get()) is not None:
            try:
                self._process(event, partial(self._is_current, event, line))
            except Exception:  # the thread serves the events that follow, whatever this one did
                log.exception("asynchronous invocation of %s", event.function.function_name)
            finally:
                self._finish_one()

    def _process(self, event: _Event, may_retry: Callable[[], bool]) -> None:
        config = _invoke_config(event.function)
        retries = config.get("MaximumRetryAttempts", DEFAULT_RETRIES)
        answer = self._invoke(event.function, event.payload)
        attempts = 1
        while answer.error and attempts <= retries and may_retry():
            answer = self._invoke(event.function, event.payload)
            attempts += 1
        self._report(event, answer, attempts, config)

    def _report(self, event: _Event, answer: Answer, attempts: int, config: dict[str, Any]) -> None:
        destinations = config.get("DestinationConfig") or {}
        outcome = "OnFailure" if answer.error else "OnSuccess"
        target = (destinations.get(outcome) or {}).get("Destination")
        if target:
            self._tell(event, target, _record(event, answer, attempts))
        if answer.error:
            with self._lock:
                self.failed += 1
            dead_letters = event.function.get_configuration().get("DeadLetterConfig") or {}
            if dead_letters.get("TargetArn"):
                self._tell(event, dead_letters["TargetArn"], event.payload)

    def _tell(self, event: _Event, target: str, body: bytes) -> None:
        """Lambda drops what a destination does not take (it counts ``DestinationDeliveryFailures``)."""
        try:
            self._send(target, body)
        except StorageError as error:
            log.warning("%s: its outcome could not be told: %s", event.function.function_name, error)


def _invoke_config(function: Any) -> dict[str, Any]:
    for entry in function.event_invoke_config:
        config: dict[str, Any] = entry.response()
        if config["FunctionArn"].split(":")[6] == function.function_name:
            return config
    return {}


def _record(event: _Event, answer: Answer, attempts: int) -> bytes:
    now = datetime.now(UTC)
    context = {
        "requestId": str(uuid4()),
        "functionArn": f"{event.function.function_arn}:$LATEST",
        "condition": "RetriesExhausted" if answer.error else "Success",
        "approximateInvokeCount": attempts,
    }
    response_context: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
    if answer.error:
        response_context["functionError"] = answer.error
    return json.dumps(
        {
            "version": "1.0",
            "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z",
            "requestContext": context,
            "requestPayload": json.loads(event.payload or b"null"),
            "responseContext": response_context,
            "responsePayload": json.loads(answer.payload or b"null"),
        }
    ).encode()
