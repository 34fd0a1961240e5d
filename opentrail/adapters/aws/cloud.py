"""Any AWS API, for playbooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opentrail.adapters.aws.failure import storage_errors


class AnyApi:
    """See ``opentrail.branches.remediation.playbook.Cloud``; the function's role says what it may call."""

    def __init__(self, clients: Callable[[str], Any]) -> None:
        """``clients`` answers a client for a service name."""
        self._clients = clients

    def __call__(self, service: str, method: str, /, **parameters: Any) -> Mapping[str, Any]:
        """Call one method of the service's client."""
        with storage_errors(f"{service} {method}"):
            answer: Mapping[str, Any] = getattr(self._clients(service), method)(**parameters)
        return answer
