"""SQS: event source mappings, concurrent calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentrail.local.moto_patches.switch import current, hooks, replace


def apply() -> None:
    """Correct SQS."""
    from moto.sqs.models import Queue, SQSBackend

    # moto hands messages to mapped functions inside SendMessage and deletes them; our pollers
    # do what Lambda's do, so queues know of no mapping.
    def read(queue: Any) -> dict[str, Any]:
        known: dict[str, Any] = queue.__dict__.setdefault("_event_source_mappings", {})
        return known if current() is None else {}

    def write(queue: Any, value: dict[str, Any]) -> None:
        queue.__dict__["_event_source_mappings"] = value

    setattr(Queue, "lambda_event_source_mappings", property(read, write))  # noqa: B010 - an attribute there

    # moto rebuilds a queue's list of messages on every delete without a lock: a message sent
    # meanwhile by another thread is lost.
    def one_at_a_time(original: Callable[..., Any]) -> Callable[..., Any]:
        def locked(queue: Any, *args: Any, **kwargs: Any) -> Any:
            with queue._messages_lock:
                return original(queue, *args, **kwargs)

        return locked

    def add_message(original: Callable[..., Any]) -> Callable[..., Any]:
        locked = one_at_a_time(original)

        def add(queue: Any, message: Any) -> None:
            locked(queue, message)
            hooks().message_added(queue)

        return add

    replace(Queue, "delete_message", one_at_a_time)
    replace(Queue, "add_message", add_message)

    def locked_queue(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(backend: Any, queue_name: str, *args: Any, **kwargs: Any) -> Any:
            with backend.get_queue(queue_name)._messages_lock:
                return original(backend, queue_name, *args, **kwargs)

        return call

    for name in ("receive_message", "purge_queue", "change_message_visibility"):
        replace(SQSBackend, name, locked_queue)
