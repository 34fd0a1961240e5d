"""Temporary credentials that STS gave out, and what only the issuing call knew about them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_SESSIONS = 100_000  # count; the oldest are forgotten, as expired credentials would be


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One set of temporary credentials.

    ``issuer`` is the ``userIdentity`` of the caller that asked for it; for role
    sessions only the facts of the request matter, since moto keeps the role.
    """

    kind: str  # the STS operation that issued it
    account: str
    created: str  # "2026-02-10T05:55:00Z"
    mfa: bool = False
    source_identity: str = ""
    federated_name: str = ""
    federated_provider: str = ""
    session_name: str = ""
    role_arn: str = ""
    issuer: Mapping[str, Any] = field(default_factory=dict)
    in_scope_of: Mapping[str, str] = field(default_factory=dict)  # what the credentials were issued to


class Sessions:
    """Sessions by access key; safe for threads."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, access_key: str, session: Session) -> None:
        """Keep ``session``; a later one with the same key replaces it."""
        with self._lock:
            self._sessions[access_key] = session
            if len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)

    def find(self, access_key: str) -> Session | None:
        """The session of an access key, or None."""
        return self._sessions.get(access_key)

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._sessions.clear()
