"""What was decided about one event, as a value and as an audit record.

The record is CloudTrail's shape for what a service does by itself (eventType
``AwsServiceEvent``, facts in ``serviceEventDetails``).

Source: CloudTrail user guide, "CloudTrail record contents".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from opentrail.branches.remediation.playbook import Playbook, Record, Target
from opentrail.format.times import to_iso

EVENT_SOURCE = "opentrail"
DETAIL_TYPE = "OpenTrail Remediation"
EVENT_VERSION = "1.11"


class Outcome(StrEnum):
    """What became of an event."""

    ACTED = "acted"
    WOULD_ACT = "would-act"
    ALERTED = "alerted"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision. ``id`` is the same for the same event, playbook and outcome.

    Attributes:
        reason: why it was skipped, or how it failed; else empty.
        problem: what was found in the live resource; empty when it was not looked at.
        principal: who made the change.
        transient: a retry of the same event may do better.
    """

    id: str
    playbook: str
    severity: str
    controls: tuple[str, ...]
    outcome: Outcome
    reason: str = ""
    problem: str = ""
    target: Target | None
    event_id: str
    event_name: str
    principal: str
    mode: str
    time: datetime
    transient: bool = False


def decision_id(event_id: str, playbook: str, outcome: Outcome) -> str:
    """A GUID that is the same for the same facts, so that a repeated decision is found once."""
    facts = "\n".join(("remediation", event_id, playbook, outcome))
    return str(UUID(bytes=hashlib.sha256(facts.encode()).digest()[:16], version=4))


def principal_of(record: Record) -> str:
    """Who made a call, as far as the record says."""
    identity = record.get("userIdentity")
    if not isinstance(identity, Mapping):
        return ""
    return str(identity.get("arn") or identity.get("invokedBy") or identity.get("type") or "")


def decide(
    playbook: Playbook,
    record: Record,
    outcome: Outcome,
    *,
    target: Target | None,
    mode: str,
    now: datetime,
    reason: str = "",
    problem: str = "",
    transient: bool = False,
) -> Decision:
    """Return the decision about ``record``."""
    event_id = str(record.get("eventID", ""))
    return Decision(
        id=decision_id(event_id, playbook.id, outcome),
        playbook=playbook.id,
        severity=playbook.severity,
        controls=playbook.controls,
        outcome=outcome,
        reason=reason,
        problem=problem,
        target=target,
        event_id=event_id,
        event_name=str(record.get("eventName", "")),
        principal=principal_of(record),
        mode=mode,
        time=now,
        transient=transient,
    )


def describe(decision: Decision) -> dict[str, Any]:
    """The facts of a decision, in JSON; what is empty is left out."""
    facts = {
        "decisionId": decision.id,
        "playbook": decision.playbook,
        "outcome": decision.outcome.value,
        "reason": decision.reason,
        "problem": decision.problem,
        "severity": decision.severity,
        "controls": list(decision.controls),
        "mode": decision.mode,
        "resource": decision.target.arn if decision.target else "",
        "changedBy": decision.principal,
        "sourceEventId": decision.event_id,
        "sourceEventName": decision.event_name,
    }
    return {name: value for name, value in facts.items() if value}


def to_record(decision: Decision, *, account: str, region: str) -> bytes:
    """The decision as a CloudTrail record, one line.

    ``account`` and ``region`` are where the decision was made; a target, if there is one, knows its own.
    """
    target = decision.target
    place = (target.account, target.region) if target else (account, region)
    resources = [{"accountId": target.account, "type": target.type, "ARN": target.arn}] if target else []
    record = {
        "eventVersion": EVENT_VERSION,
        "userIdentity": {"accountId": place[0], "invokedBy": EVENT_SOURCE},
        "eventTime": to_iso(decision.time),
        "eventSource": EVENT_SOURCE,
        "eventName": EVENT_NAMES[decision.outcome],
        "awsRegion": place[1],
        "sourceIPAddress": EVENT_SOURCE,
        "userAgent": EVENT_SOURCE,
        "requestParameters": None,
        "responseElements": None,
        "eventID": decision.id,
        "readOnly": decision.outcome not in (Outcome.ACTED, Outcome.UNDONE),
        "resources": resources,
        "eventType": "AwsServiceEvent",
        "managementEvent": True,
        "recipientAccountId": place[0],
        "serviceEventDetails": describe(decision),
        "eventCategory": "Management",
    }
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()


EVENT_NAMES = {
    Outcome.ACTED: "RemediationActed",
    Outcome.WOULD_ACT: "RemediationWouldAct",
    Outcome.ALERTED: "RemediationAlerted",
    Outcome.SKIPPED: "RemediationSkipped",
    Outcome.FAILED: "RemediationFailed",
    Outcome.UNDONE: "RemediationUndone",
}

METRICS = {
    Outcome.ACTED: "RemediationsActed",
    Outcome.WOULD_ACT: "RemediationsWouldAct",
    Outcome.ALERTED: "RemediationsAlerted",
    Outcome.SKIPPED: "RemediationsSkipped",
    Outcome.FAILED: "RemediationsFailed",
    Outcome.UNDONE: "RemediationsUndone",
}
