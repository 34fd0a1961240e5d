"""CloudWatch Logs: metric filters count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentrail.local.metric_filters import count_matches
from opentrail.local.moto_patches.switch import replace


def apply() -> None:
    """Correct CloudWatch Logs."""
    from moto.logs.models import LogsBackend

    # moto keeps metric filters, and no metric ever comes of them.
    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def put(
            backend: Any, log_group_name: str, log_stream_name: str, log_events: list[dict[str, Any]]
        ) -> Any:
            answer = original(backend, log_group_name, log_stream_name, log_events)
            count_matches(backend, log_group_name, log_events)
            return answer

        return put

    replace(LogsBackend, "put_log_events", counted)
