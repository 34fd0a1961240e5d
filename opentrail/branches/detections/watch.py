"""Event -> finding: does the rule that EventBridge names really match, and was it told already?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from opentrail.branches.detections.detection import Detection
from opentrail.branches.detections.finding import Finding, find
from opentrail.branches.detections.matcher import Matcher, compile_predicate
from opentrail.errors import SettingsError
from opentrail.model.event import Place


class Told(Protocol):
    """Which findings were told. Maps to ``dynamodb:GetItem`` and ``dynamodb:PutItem``."""

    def was_told(self, finding_id: str) -> bool:
        """Was it? Raises ``StorageError``."""

    def note(self, finding: Finding) -> None:
        """It is told now. Raises ``StorageError``."""


class Outlet(Protocol):
    """Where findings go. Maps to ``sqs:SendMessage``, ``events:PutEvents`` and ``sns:Publish``."""

    def tell(self, finding: Finding) -> None:
        """Tell everybody who wants to know. Raises ``StorageError``."""


class Verdict(StrEnum):
    """What became of an event."""

    FOUND = "found"
    TOLD_BEFORE = "told before"
    NO_MATCH = "no match"
    OWN_CALL = "own call"
    NO_EVENT_ID = "no eventID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """All rules of an installation, armed.

    A finding is told before it counts as told, so a run that dies in between tells it again and never
    leaves it out. Told twice, it has the same id.

    Attributes:
        rules: by id.
        own_roles: ARNs of the roles of OpenTrail's functions that move records. What they do is never
            found: a finding is a record to move, and it could go on for ever.
        home: where it runs.
    """

    rules: Mapping[str, tuple[Detection, Matcher]]
    own_roles: Collection[str]
    home: Place
    told: Told
    outlet: Outlet

    def handle(self, rule: str, event: Mapping[str, Any], now: datetime) -> tuple[Verdict, Finding | None]:
        """Judge one event by one rule, and tell what was found.

        Raises:
            SettingsError: there is no such rule.
            StorageError: the finding could not be told, or it is not known whether it was.
        """
        if rule not in self.rules:
            raise SettingsError(f"there is no detection {rule}")
        detection, matches = self.rules[rule]
        if not event.get("eventID"):
            return Verdict.NO_EVENT_ID, None
        if _role_of(event) in self.own_roles:
            return Verdict.OWN_CALL, None
        if not matches(event):
            return Verdict.NO_MATCH, None
        finding = find(detection, event, home=self.home, now=now)
        if self.told.was_told(finding.id):
            return Verdict.TOLD_BEFORE, finding
        self.outlet.tell(finding)
        self.told.note(finding)
        return Verdict.FOUND, finding


def armed(detections: Mapping[str, Detection]) -> dict[str, tuple[Detection, Matcher]]:
    """Each detection with its test.

    Raises:
        FormatError: a condition cannot be compiled.
    """
    return {id_: (rule, compile_predicate(rule.condition)) for id_, rule in detections.items()}


def _role_of(event: Mapping[str, Any]) -> str:
    found: Any = event
    for name in ("userIdentity", "sessionContext", "sessionIssuer", "arn"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""
