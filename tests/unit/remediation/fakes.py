"""A playbook about one switch, and remediation's state in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from opentrail.branches.remediation import (
    Danger,
    Decision,
    Engine,
    Guard,
    Permission,
    Playbook,
    Target,
    calls,
)
from opentrail.branches.remediation.playbook import Cloud, Record, parameters, target_at
from opentrail.branches.remediation.ports import Claim, Kept
from opentrail.errors import StorageError

ACCOUNT, REGION = "123456789012", "us-east-1"
NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/OpenTrail-fix-switch-us-east-1"


def event(id_: str = "e1", *, switch: str = "lamp", caller: str = "user/mallory", **more: Any) -> Record:
    """The record of somebody switching something on."""
    return {
        "eventID": id_,
        "eventName": "SwitchOn",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:{caller}"},
        "recipientAccountId": ACCOUNT,
        "awsRegion": REGION,
        "requestParameters": {"switch": switch},
        **more,
    }


def by_role(role: str) -> dict[str, Any]:
    """The identity of a session of ``role``."""
    return {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rpartition('/')[2]}/session",
        "sessionContext": {"sessionIssuer": {"arn": role}},
    }


def switch_of(record: Record) -> Target | None:
    """The switch."""
    name = str(parameters(record).get("switch") or "")
    return target_at(record, name, "Test::Switch", "test:{region}:{account}:switch/{name}")


def check(cloud: Cloud, target: Target) -> Danger | None:
    """On is dangerous."""
    level = cloud("test", "get", Name=target.name)["Level"]
    return Danger(problem=f"{target.name} is on", before={"level": level}) if level else None


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Switch it off."""
    cloud("test", "set", Name=target.name, Level=0)


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """As bright as before."""
    cloud("test", "set", Name=target.name, Level=before["level"])


def tags(cloud: Cloud, target: Target) -> Mapping[str, str]:
    """The switch's tags."""
    found: Mapping[str, str] = cloud("test", "get", Name=target.name)["Tags"]
    return found


SWITCH = Playbook(
    id="switch",
    title="Switched on",
    severity="low",
    controls=("TEST 1",),
    pattern=calls("test", "SwitchOn"),
    reads=(Permission(actions=("test:Get",), resources=("*",), why="any"),),
    writes=(Permission(actions=("test:Set",), resources=("*",), why="any"),),
    target=switch_of,
    check=check,
    fix=fix,
    undo=undo,
    tags=tags,
    gone=("NoSuchSwitch",),
)
ALARM = replace(SWITCH, id="alarm", fix=None, undo=None, writes=())


@dataclass
class House:
    """A cloud of switches. ``denied`` methods are refused with ``code``; a ``stuck`` one does nothing."""

    levels: dict[str, int] = field(default_factory=lambda: {"lamp": 7})
    tags: dict[str, str] = field(default_factory=dict)
    denied: tuple[str, ...] = ()
    code: str = "AccessDenied"
    stuck: bool = False
    done: list[str] = field(default_factory=list)

    def __call__(self, service: str, method: str, /, **parameters: Any) -> Mapping[str, Any]:
        """Answer one call."""
        if method in self.denied:
            raise StorageError(f"{method}: {self.code}", self.code)
        name = parameters["Name"]
        if name not in self.levels:
            raise StorageError(f"no switch {name}", "NoSuchSwitch")
        if method == "set":
            self.done.append(name)
            if not self.stuck:
                self.levels[name] = parameters["Level"]
        return {"Level": self.levels[name], "Tags": self.tags}


class Memory:
    """Claims, limits, undo log and reports."""

    def __init__(self) -> None:
        """Remember nothing."""
        self.claims: dict[tuple[str, str], str] = {}
        self.acts: dict[str, int] = {}
        self.breaker: tuple[int, datetime | None] = (0, None)
        self.kept: dict[str, Kept] = {}
        self.told: list[Decision] = []

    def claim(self, event_id: str, playbook: str, now: datetime) -> Claim:
        """See ``ports``."""
        state = self.claims.get((event_id, playbook))
        self.claims[event_id, playbook] = state if state == "decided" else "running"
        known = {None: Claim.OURS, "decided": Claim.TAKEN, "running": Claim.BUSY, "failed": Claim.RESUMED}
        return known[state]

    def release(self, event_id: str, playbook: str, now: datetime) -> None:
        """See ``ports``."""
        self.claims[event_id, playbook] = "failed"

    def settle(self, decision: Decision, *, final: bool) -> None:
        """See ``ports``."""
        self.claims[decision.event_id, decision.playbook] = "decided" if final else "failed"

    def take(self, name: str, *, limit: int, now: datetime) -> bool:
        """See ``ports``."""
        if self.acts.get(name, 0) >= limit:
            return False
        self.acts[name] = self.acts.get(name, 0) + 1
        return True

    def failures(self, playbook: str) -> tuple[int, datetime | None]:
        """See ``ports``."""
        return self.breaker

    def note(self, playbook: str, *, failed: bool, now: datetime) -> None:
        """See ``ports``."""
        self.breaker = (self.breaker[0] + 1, now) if failed else (0, None)

    def keep(self, decision_id: str, kept: Kept, now: datetime) -> None:
        """See ``ports``."""
        self.kept.setdefault(decision_id, kept)

    def read(self, decision_id: str) -> Kept | None:
        """See ``ports``."""
        return self.kept.get(decision_id)

    def mark_undone(self, decision_id: str) -> None:
        """See ``ports``."""
        self.kept[decision_id] = self.kept[decision_id]._replace(undone=True)

    def tell(self, decision: Decision) -> None:
        """See ``ports``."""
        self.told.append(decision)


def engine(
    house: House, memory: Memory, *, playbook: Playbook = SWITCH, guard: Guard | None = None, **limits: int
) -> Engine:
    """An engine that enforces, unless ``guard`` says otherwise."""
    return Engine(
        playbook=playbook,
        guard=guard or Guard(mode="enforce", own_roles=[ROLE]),
        cloud=house,
        claims=memory,
        limits=memory,
        undo_log=memory,
        reports=memory,
        account=ACCOUNT,
        region=REGION,
        acts_per_hour=limits.get("acts_per_hour", 30),
        acts_per_resource=limits.get("acts_per_resource", 5),
    )


def later(minutes: float) -> datetime:
    """``NOW`` and some minutes."""
    return NOW + timedelta(minutes=minutes)
