"""DynamoDB: concurrent calls."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from opentrail.local.moto_patches.switch import replace

_lock = threading.RLock()  # a transaction calls the single writes


def apply() -> None:
    """Correct DynamoDB."""
    from moto.dynamodb.models import DynamoDBBackend

    # moto checks a condition and then writes: of two threads that hold the same version both
    # would win, and a chain of digests would fork.
    def one_at_a_time(original: Callable[..., Any]) -> Callable[..., Any]:
        def locked(*args: Any, **kwargs: Any) -> Any:
            with _lock:
                return original(*args, **kwargs)

        return locked

    for write in ("put_item", "update_item", "delete_item", "transact_write_items"):
        replace(DynamoDBBackend, write, one_at_a_time)
