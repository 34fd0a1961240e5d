"""One deployed playbook, as tests handle it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from lambdas.remediation.handler import build
from opentrail.branches.remediation import Decision, Playbook
from opentrail.branches.remediation.catalog import built_in
from opentrail.branches.remediation.engine import Engine
from opentrail.errors import StorageError
from opentrail.local.functions import deployed_functions
from opentrail.settings import RemediationSettings
from opentrail.testing.world import OpenTrail

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


@dataclass(slots=True)
class Deployed:
    """A playbook's function."""

    aws: OpenTrail
    id: str
    function: Any = field(init=False)

    def __post_init__(self) -> None:
        """Find it among all functions."""
        (self.function,) = (
            f for f in deployed_functions() if (f.environment_vars or {}).get("OPENTRAIL_PLAYBOOK") == self.id
        )

    @property
    def playbook(self) -> Playbook:
        """What it runs."""
        return built_in()[self.id]

    def engine(self, **changes: Any) -> Engine:
        """The function's engine, with other settings."""
        settings = RemediationSettings.from_env(self.function.environment_vars)
        return build(replace(settings, **changes), self.aws.client).engine(self.function.function_arn)

    def handle(self, record: Mapping[str, Any], **changes: Any) -> Decision:
        """Let it decide about a record, with other settings."""
        return self.engine(**changes).handle(record, NOW)

    def undo(self, decision_id: str) -> dict[str, Any]:
        """Ask the deployed function to undo."""
        return self.invoke({"undo": decision_id, "by": "alice"})

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Call the deployed function through Lambda's API."""
        answer = self.aws.client("lambda").invoke(
            FunctionName=self.function.function_name, Payload=json.dumps(event)
        )
        payload: dict[str, Any] = json.loads(answer["Payload"].read())
        return payload

    def found_by(self, name: str) -> list[str]:
        """The eventIDs that LookupEvents finds by a resource's name."""
        named = {"AttributeKey": "ResourceName", "AttributeValue": name}
        found = self.aws.client("cloudtrail").lookup_events(LookupAttributes=[named])["Events"]
        return [event["EventId"] for event in found]

    def decisions(self) -> list[dict[str, Any]]:
        """What LookupEvents says it decided, oldest first; its own changes left out."""
        source = {"AttributeKey": "EventSource", "AttributeValue": "opentrail"}
        found = self.aws.client("cloudtrail").lookup_events(LookupAttributes=[source])["Events"]
        details = [json.loads(event["CloudTrailEvent"])["serviceEventDetails"] for event in reversed(found)]
        return [
            d
            for d in details
            if d["playbook"] == self.id and d.get("reason") != "it is a change of OpenTrail's own"
        ]


@dataclass
class Refusing:
    """A cloud for a role that may look and may not touch."""

    cloud: Any

    def __call__(self, service: str, method: str, /, **parameters: Any) -> Mapping[str, Any]:
        """Refuse whatever changes something."""
        if not method.startswith(("get_", "describe_", "list_")):
            raise StorageError(f"{service} {method}: AccessDenied", "AccessDenied")
        answer: Mapping[str, Any] = self.cloud(service, method, **parameters)
        return answer


@dataclass
class Throttled:
    """A cloud that is too busy for one method."""

    cloud: Any
    busy: str

    def __call__(self, service: str, method: str, /, **parameters: Any) -> Mapping[str, Any]:
        """Refuse that method for now."""
        if method == self.busy:
            raise StorageError(f"{service} {method}: ThrottlingException", "ThrottlingException")
        answer: Mapping[str, Any] = self.cloud(service, method, **parameters)
        return answer
