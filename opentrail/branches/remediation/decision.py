"""What was decided about one event, as a value and as an audit record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from opentrail.branches.remediation.playbook import Playbook, Record, Target
from opentrail.format.own_record import derived_id, own_record, principal_of
from opentrail.model.event import Place

DETAIL_TYPE = "OpenTrail Remediation"


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
    return derived_id("remediation", event_id, playbook, outcome)


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
        "resourceName": decision.target.name if decision.target else "",
        "resourceType": decision.target.type if decision.target else "",
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
    return own_record(
        name=EVENT_NAMES[decision.outcome],
        id_=decision.id,
        time=decision.time,
        place=Place(target.account, target.region) if target else Place(account, region),
        details=describe(decision),
        read_only=decision.outcome not in (Outcome.ACTED, Outcome.UNDONE),
        resources=[{"accountId": target.account, "type": target.type, "ARN": target.arn}] if target else [],
    )


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
