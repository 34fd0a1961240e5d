"""Event -> decision: look at the live resource, then act, or say why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from opentrail.branches.remediation.decision import (
    Decision,
    Outcome,
    decide,
    decision_id,
)
from opentrail.branches.remediation.guard import ENFORCE, Guard, is_excepted
from opentrail.branches.remediation.playbook import Cloud, Danger, Playbook, Record, Target
from opentrail.branches.remediation.ports import Claim, Claims, Kept, Limits, Reports, UndoLog
from opentrail.errors import StorageError

T = TypeVar("T")

# The same failure so often in a row is no accident: stop trying for a while.
BREAKER_FAILURES = 3
BREAKER_PAUSE = timedelta(minutes=15)

# What a retry cannot mend: AWS's words for "you may not".
REFUSALS = (
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "UnauthorizedOperation",
    "Client.UnauthorizedOperation",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One playbook, armed.

    Duplicate events are told apart by their eventID. Events out of order do no harm: whatever the
    event says, only what the live resource is like now counts. A decision is told before the event
    counts as handled, so a run that dies in between tells it again and never leaves it out.

    Attributes:
        account, region: where it may act.
        acts_per_hour: of this playbook.
        acts_per_resource: on one resource in an hour; more means that somebody fights for the change.
    """

    playbook: Playbook
    guard: Guard
    cloud: Cloud
    claims: Claims
    limits: Limits
    undo_log: UndoLog
    reports: Reports
    account: str
    region: str
    acts_per_hour: int
    acts_per_resource: int

    def handle(self, record: Record, now: datetime) -> Decision:
        """Decide about one event, and do it.

        Raises:
            StorageError: the state could not be read or written, nobody could be told, or another run
                is at it (code ``Busy``). The event is to be handled again.
        """
        run = _Run(self, record, now)
        if not record.get("eventID"):
            return self._tell(run.skipped("the event has no eventID"))
        event_id = str(record["eventID"])
        claim = self.claims.claim(event_id, self.playbook.id, now)
        if claim is Claim.TAKEN:
            return self._tell(run.skipped("the event was handled already"))
        if claim is Claim.BUSY:  # it may have died: what is skipped now would never be looked at again
            raise StorageError(f"{self.playbook.id} {event_id}: another run is at it", "Busy")
        try:
            decision = self._tell(run.decide(resumed=claim is Claim.RESUMED))
        except StorageError:
            self.claims.release(event_id, self.playbook.id, now)
            raise
        self.claims.settle(decision, final=not decision.transient)
        return decision

    def undo(self, id_: str, by: str, now: datetime) -> Decision:
        """Put back what the decision ``id_`` changed.

        Raises:
            StorageError: nothing is kept under that id (code ``NothingKept``), or it could not be put back.
        """
        kept = self.undo_log.read(id_) if self.playbook.undo else None
        if kept is None or kept.playbook != self.playbook.id or self.playbook.undo is None:
            raise StorageError(f"undo {id_}: nothing is kept for {self.playbook.id}", "NothingKept")
        record = {"eventID": id_, "eventName": "Undo", "userIdentity": {"arn": by}}
        run = _Run(self, record, now, target=kept.target)
        if kept.undone:
            return self._tell(run.skipped("it was undone already"))
        _play(self.playbook.undo, self.cloud, kept.target, kept.before)
        decision = self._tell(run.decision(Outcome.UNDONE, reason="somebody asked for it"))
        self.undo_log.mark_undone(id_)
        self.claims.settle(decision, final=True)
        return decision

    def _tell(self, decision: Decision) -> Decision:
        self.reports.tell(decision)
        return decision


def _play(function: Callable[..., T], *arguments: object) -> T:
    """Call a playbook's function. An installation's own may raise anything; it fails as AWS's calls do."""
    try:
        return function(*arguments)
    except StorageError:
        raise
    except Exception as error:  # or the event would end in a dead-letter queue without any decision
        raise StorageError(f"{type(error).__name__}: {error}", "PlaybookFailed") from error


class _Run:
    """One event on its way to a decision."""

    def __init__(self, engine: Engine, record: Record, now: datetime, target: Target | None = None) -> None:
        self._engine = engine
        self._playbook = engine.playbook
        self._record = record
        self._now = now
        self._target = target
        account = target.account if target else str(record.get("recipientAccountId", engine.account))
        self._mode = engine.guard.mode_of(engine.playbook.id, account)
        self._problem = ""

    def decision(self, outcome: Outcome, *, reason: str = "", transient: bool = False) -> Decision:
        return decide(
            self._playbook,
            self._record,
            outcome,
            target=self._target,
            mode=self._mode,
            now=self._now,
            reason=reason,
            problem=self._problem,
            transient=transient,
        )

    def skipped(self, reason: str) -> Decision:
        return self.decision(Outcome.SKIPPED, reason=reason)

    def decide(self, *, resumed: bool) -> Decision:
        try:
            return self._decide(resumed=resumed)
        except StorageError as error:
            if error.code in self._playbook.gone:
                return self.skipped("the resource is gone")
            return self._failed(str(error), transient=error.code not in REFUSALS)

    def _decide(self, *, resumed: bool) -> Decision:
        self._target = _play(self._playbook.target, self._record)
        if self._target is None:
            return self.skipped("the event names no resource")
        if (self._target.account, self._target.region) != (self._engine.account, self._engine.region):
            return self.skipped("it happened in another account or Region")
        reason = self._engine.guard.why_not(self._playbook.id, self._record)
        if reason:
            return self.skipped(reason)
        danger = _play(self._playbook.check, self._engine.cloud, self._target)
        if danger is None:
            return self._harmless(resumed=resumed)
        self._problem = danger.problem
        return self._judge(self._target, danger)

    def _harmless(self, *, resumed: bool) -> Decision:
        acted = decision_id(str(self._record["eventID"]), self._playbook.id, Outcome.ACTED)
        if resumed and self._playbook.fix and self._engine.undo_log.read(acted):
            self._engine.limits.note(self._playbook.id, failed=False, now=self._now)
            return self.decision(Outcome.ACTED, reason="an earlier run was interrupted after its fix")
        return self.skipped("the resource is not in danger")

    def _judge(self, target: Target, danger: Danger) -> Decision:
        fix = self._playbook.fix
        if fix is None:
            return self.decision(Outcome.ALERTED)
        if is_excepted(self._playbook.id, _play(self._playbook.tags, self._engine.cloud, target)):
            return self.skipped("a tag of the resource excepts it")
        if self._mode != ENFORCE:
            return self.decision(Outcome.WOULD_ACT)
        reason = self._why_wait(target)
        if reason:
            return self.skipped(reason)
        return self._act(fix, target, danger)

    def _why_wait(self, target: Target) -> str:
        limits, playbook = self._engine.limits, self._playbook.id
        failures, last = limits.failures(playbook)
        if failures >= BREAKER_FAILURES and last is not None and self._now - last < BREAKER_PAUSE:
            return f"the circuit breaker is open after {failures} failures in a row"
        resource = f"{playbook}#{target.arn}"
        if not limits.take(resource, limit=self._engine.acts_per_resource, now=self._now):
            return f"the resource was fixed {self._engine.acts_per_resource} times within this hour"
        if not limits.take(playbook, limit=self._engine.acts_per_hour, now=self._now):
            return f"the playbook acted {self._engine.acts_per_hour} times within this hour"
        return ""

    def _act(self, fix: Callable[[Cloud, Target, Danger], None], target: Target, danger: Danger) -> Decision:
        engine, playbook = self._engine, self._playbook
        acted = decision_id(str(self._record["eventID"]), playbook.id, Outcome.ACTED)
        kept = Kept(playbook=playbook.id, target=target, before=danger.before, undone=False)
        engine.undo_log.keep(acted, kept, self._now)
        _play(fix, engine.cloud, target, danger)
        left = _play(playbook.check, engine.cloud, target)
        if left is not None:  # not tried again: who makes the change anew brings an event of his own
            return self._failed(f"after the fix: {left.problem}", transient=False)
        engine.limits.note(playbook.id, failed=False, now=self._now)
        return self.decision(Outcome.ACTED)

    def _failed(self, reason: str, *, transient: bool) -> Decision:
        self._engine.limits.note(self._playbook.id, failed=True, now=self._now)
        return self.decision(Outcome.FAILED, reason=reason, transient=transient)
