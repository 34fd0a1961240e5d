"""Where events go: the targets of rules, schedules and asynchronous invocations, each named by its ARN."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from opentrail.errors import StorageError
from opentrail.local.functions import find_function
from opentrail.local.queues import find_queue, put_message

MAX_EVENT_BYTES = 1_048_576  # EventBridge quotas, PutEvents entry size; also Lambda's asynchronous payload


class Targets:
    """Delivers bytes to an ARN. ``submit(function, payload)`` takes asynchronous Lambda invocations."""

    def __init__(self, submit: Callable[[Any, bytes], None]) -> None:
        self._submit = submit
        self._by_service: dict[str, Callable[[str, bytes, Mapping[str, Any]], None]] = {
            "sqs": _to_queue,
            "sns": _to_topic,
            "lambda": self._to_function,
            "logs": _to_log_group,
            "states": _to_state_machine,
        }

    def send(self, arn: str, body: bytes, parameters: Mapping[str, Any] | None = None) -> None:
        """Deliver ``body`` to the resource ``arn``.

        ``parameters`` are the members of a rule's or schedule's target, for ``SqsParameters``.

        Raises:
            StorageError: the resource does not exist, refused, or is of a kind we cannot reach.
        """
        deliver = self._by_service.get(arn.split(":")[2] if arn.count(":") >= 5 else "")
        if deliver is None:
            raise StorageError(
                f"send to {arn}: the laptop cannot deliver to this kind of target", "NO_SUCH_TARGET"
            )
        deliver(arn, body, parameters or {})

    def _to_function(self, arn: str, body: bytes, _: Mapping[str, Any]) -> None:
        self._submit(find_function(arn), body)


def _to_queue(arn: str, body: bytes, parameters: Mapping[str, Any]) -> None:
    group = (parameters.get("SqsParameters") or {}).get("MessageGroupId", "")
    put_message(find_queue(arn), body.decode(), group_id=group)


def _to_topic(arn: str, body: bytes, _: Mapping[str, Any]) -> None:
    from moto.core.exceptions import ServiceException
    from moto.sns.models import sns_backends

    region, account = arn.split(":")[3:5]
    try:
        sns_backends[account][region].publish(message=body.decode(), arn=arn)
    except (ServiceException, KeyError) as error:
        raise StorageError(f"publish to {arn}: {error}", "NotFound") from error


def _to_log_group(arn: str, body: bytes, _parameters: Mapping[str, Any]) -> None:
    from moto.logs.models import logs_backends

    _, _, _, region, account, _, group = arn.split(":", 6)
    group = group.removesuffix(":*")
    backend = logs_backends[account][region]
    if group not in backend.groups:
        raise StorageError(f"put events to {arn}: no such log group", "ResourceNotFoundException")
    stream = str(uuid4())
    backend.create_log_stream(group, stream)
    backend.put_log_events(group, stream, [{"timestamp": int(time.time() * 1000), "message": body.decode()}])


def _to_state_machine(arn: str, body: bytes, _: Mapping[str, Any]) -> None:
    from moto.core.exceptions import ServiceException
    from moto.stepfunctions.responses import get_backend

    region, account = arn.split(":")[3:5]
    try:
        get_backend(account, region).start_execution(arn, "", body.decode())
    except ServiceException as error:
        raise StorageError(f"start execution of {arn}: {error}", "StateMachineDoesNotExist") from error
