"""What the engine remembers between events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum, auto
from typing import Any, NamedTuple, Protocol

from opentrail.branches.remediation.decision import Decision
from opentrail.branches.remediation.playbook import Target


class Claim(Enum):
    """May this run handle the event?"""

    OURS = auto()
    RESUMED = auto()  # an earlier run began, failed or vanished
    TAKEN = auto()  # decided already
    BUSY = auto()  # another run is at it, or vanished a moment ago


class Kept(NamedTuple):
    """What an undo needs."""

    playbook: str
    target: Target
    before: Mapping[str, Any]
    undone: bool


class Claims(Protocol):
    """One run per event and playbook. Maps to ``dynamodb:UpdateItem`` and ``dynamodb:PutItem``."""

    def claim(self, event_id: str, playbook: str, now: datetime) -> Claim:
        """Take the event, unless it is decided or was taken a moment ago. Raises ``StorageError``."""

    def release(self, event_id: str, playbook: str, now: datetime) -> None:
        """Give it back undecided: the next run may have it at once. Raises ``StorageError``."""

    def settle(self, decision: Decision, *, final: bool) -> None:
        """Keep the decision; unless ``final``, the event may be claimed again. Raises ``StorageError``."""


class Reports(Protocol):
    """Where decisions are told. Maps to ``sqs:SendMessage`` and ``events:PutEvents``."""

    def tell(self, decision: Decision) -> None:
        """Tell everybody who wants to know; the same decision may be told twice. Raises ``StorageError``."""


class Limits(Protocol):
    """How often and how unhappily a playbook acts. Maps to ``dynamodb:UpdateItem``, ``dynamodb:GetItem``."""

    def take(self, name: str, *, limit: int, now: datetime) -> bool:
        """Count one act of this hour; False when there were ``limit`` already. Raises ``StorageError``."""

    def failures(self, playbook: str) -> tuple[int, datetime | None]:
        """Failures in a row, and when the last one was. Raises ``StorageError``."""

    def note(self, playbook: str, *, failed: bool, now: datetime) -> None:
        """Count a failure, or forget them after a success. Raises ``StorageError``."""


class UndoLog(Protocol):
    """What things were like before a fix. Maps to ``dynamodb:PutItem``, ``GetItem`` and ``UpdateItem``."""

    def keep(self, decision_id: str, kept: Kept, now: datetime) -> None:
        """Keep it, unless it is kept already: the first is the true one. Raises ``StorageError``."""

    def read(self, decision_id: str) -> Kept | None:
        """What was kept, or None. Raises ``StorageError``."""

    def mark_undone(self, decision_id: str) -> None:
        """Say that it was put back. Raises ``StorageError``."""
