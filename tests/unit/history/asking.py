"""Lookups in a history in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from opentrail.branches.history import Lookup, Page, find_events
from tests.support.history import PLACE, FakeHistory, ids

ALL = Lookup(place=PLACE, start="2026-01-01T00:00:00Z", end="2026-12-31T23:59:59Z")


def ask(history: FakeHistory, **changes: Any) -> Page:
    """One page of what ``changes`` ask for."""
    return find_events(replace(ALL, **changes), index=history, files=history)


def ask_all(history: FakeHistory, **changes: Any) -> list[str]:
    """The eventIDs of every page."""
    found: list[str] = []
    after = None
    while True:
        page = ask(history, after=after, **changes)
        found += ids(page.events)
        if page.last is None:
            return found
        after = page.last


def second(number: int) -> str:
    """The eventTime that many seconds after 04:00."""
    return f"2026-01-10T{4 + number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z"
