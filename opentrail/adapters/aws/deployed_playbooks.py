"""The remediation functions of this account and Region, found by their environment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from opentrail.adapters.aws.failure import storage_errors
from opentrail.errors import SettingsError, StorageError
from opentrail.settings import RemediationSettings


@dataclass(frozen=True, slots=True)
class DeployedPlaybook:
    """One function, with the settings it runs with."""

    function: str
    settings: RemediationSettings


def deployed_playbooks(client: Any) -> list[DeployedPlaybook]:
    """Find them. ``client`` is one of Lambda.

    Raises:
        StorageError: Lambda refused or did not answer, or there is none (code ``NotDeployed``).
    """
    found = [playbook for page in _pages(client) for playbook in page]
    if not found:
        raise StorageError("no playbook is deployed here; docs/remediation.md tells how", "NotDeployed")
    return sorted(found, key=lambda playbook: playbook.settings.playbook)


def undo(client: Any, playbook: DeployedPlaybook, decision_id: str, by: str) -> dict[str, Any]:
    """Have a playbook put back what it changed; return the decision.

    Raises:
        StorageError: Lambda refused, or the function failed; it says why.
    """
    payload = json.dumps({"undo": decision_id, "by": by})
    with storage_errors(f"invoke {playbook.function}"):
        answer = client.invoke(FunctionName=playbook.function, Payload=payload)
        body: dict[str, Any] = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise StorageError(str(body.get("errorMessage")), str(body.get("errorType")))
    return body


def _pages(client: Any) -> Iterator[Iterator[DeployedPlaybook]]:
    with storage_errors("list functions"):
        for page in client.get_paginator("list_functions").paginate():
            yield (found for function in page["Functions"] if (found := _read(function)) is not None)


def _read(function: dict[str, Any]) -> DeployedPlaybook | None:
    try:
        settings = RemediationSettings.from_env(function.get("Environment", {}).get("Variables", {}))
    except SettingsError:
        return None  # another function
    return DeployedPlaybook(function["FunctionName"], settings)
