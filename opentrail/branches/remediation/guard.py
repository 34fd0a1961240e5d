"""When a playbook must not act: its mode, whose change it was, and what its owner said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from opentrail.branches.remediation.playbook import EXCEPTION_TAG, Record
from opentrail.errors import SettingsError

OBSERVE = "observe"
ENFORCE = "enforce"
EXCEPT_ALL = "except"
_SESSION = re.compile(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/.+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """The installation's rules for one playbook.

    Principals are patterns of ARNs with ``*``; they are tried on the caller and, for a session,
    on its role.

    Attributes:
        mode: where nothing else is said.
        modes: ``playbook``, ``account`` or ``account/playbook`` -> mode; the closest one counts.
        own_roles: the playbooks' own roles: their changes are never acted upon.
        break_glass: principals who must never be hindered.
        exempt: principals whose changes are accepted; ``playbook=pattern`` is for that playbook only.
    """

    mode: str = OBSERVE
    modes: Mapping[str, str] = field(default_factory=dict)
    own_roles: Sequence[str] = ()
    break_glass: Sequence[str] = ()
    exempt: Sequence[str] = ()

    def mode_of(self, playbook: str, account: str) -> str:
        """Return ``observe`` or ``enforce``."""
        for scope in (f"{account}/{playbook}", playbook, account):
            if scope in self.modes:
                return self.modes[scope]
        return self.mode

    def why_not(self, playbook: str, record: Record) -> str:
        """Return why nothing may be done about a change by this caller; empty when it may."""
        callers = _callers(record)
        if _any(self.own_roles, callers):
            return "it is a change of OpenTrail's own"
        if _any(self.break_glass, callers):
            return "the caller is a break-glass principal"
        if _any(_for_playbook(self.exempt, playbook), callers):
            return "the caller is exempt"
        return ""


def read_modes(entries: Sequence[str]) -> dict[str, str]:
    """Read ``scope=mode`` entries.

    Raises:
        SettingsError: an entry is not of that form.
    """
    modes: dict[str, str] = {}
    for entry in entries:
        scope, _, mode = entry.partition("=")
        if not scope or mode not in (OBSERVE, ENFORCE):
            raise SettingsError(f"remediation mode {entry!r} is not SCOPE=observe or SCOPE=enforce")
        modes[scope] = mode
    return modes


def is_excepted(playbook: str, tags: Mapping[str, str]) -> bool:
    """Did the resource's owner take it out of this playbook?"""
    words = tags.get(EXCEPTION_TAG, "").split()
    return EXCEPT_ALL in words or playbook in words


def _callers(record: Record) -> list[str]:
    identity = record.get("userIdentity")
    if not isinstance(identity, Mapping):
        return []
    session = identity.get("sessionContext")
    issuer = session.get("sessionIssuer") if isinstance(session, Mapping) else None
    arn = identity.get("arn")
    role = issuer.get("arn") if isinstance(issuer, Mapping) else None
    arns = [arn, role or _role_of(arn)]
    return [arn for arn in arns if isinstance(arn, str) and arn]


def _role_of(arn: Any) -> str:
    """The role of a session by its ARN alone, for records without ``sessionIssuer``; a path is not in it."""
    found = _SESSION.fullmatch(arn) if isinstance(arn, str) else None
    return "arn:{}:iam::{}:role/{}".format(*found.groups()) if found else ""


def _for_playbook(entries: Sequence[str], playbook: str) -> list[str]:
    chosen = []
    for entry in entries:
        scope, separator, pattern = entry.rpartition("=")
        if not separator or scope == playbook:
            chosen.append(pattern)
    return chosen


def _any(patterns: Sequence[str], callers: Sequence[str]) -> bool:
    return any(_compiled(pattern).fullmatch(caller) for pattern in patterns for caller in callers)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))))
