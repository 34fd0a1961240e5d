"""Calls and configuration items -> steps: what changed, and which calls may have done it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from opentrail.branches.resource_history.difference import Difference, differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A recorded call that touched the resource."""

    event_id: str
    time: datetime
    who: str
    source: str
    name: str
    read_only: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What AWS Config found at one moment."""

    captured: datetime
    status: str  # "OK", "ResourceDiscovered", "ResourceDeleted", ...
    state: Mapping[str, Any]  # configuration, supplementaryConfiguration, tags, relationships
    event_ids: frozenset[str] = frozenset()  # relatedEvents: the calls Config itself names


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One configuration and the calls since the one before.

    ``item`` is None for calls Config has not caught up with, or will not: then nothing is
    known of what they changed.
    """

    item: Item | None
    changes: Sequence[Difference] = ()  # against the item before; nothing for the first
    first: bool = False  # no item before it is known
    calls: Sequence[Call] = field(default=())  # newest first; any of them may have made the changes

    @property
    def time(self) -> datetime:
        """When it was captured; for calls alone, when the newest was made."""
        return self.item.captured if self.item else self.calls[0].time


def join(calls: Iterable[Call], items: Iterable[Item]) -> list[Step]:
    """Steps, newest first; every call and every item is in exactly one.

    A call belongs to the item that names it, else to the first item captured at its time or
    later: Config looks after a change, mostly within minutes.

    Args:
        calls: in any order; a call given twice counts once.
        items: in any order.
    """
    ordered = sorted(items, key=lambda item: item.captured)
    named = {event_id: index for index, item in enumerate(ordered) for event_id in item.event_ids}
    groups: list[list[Call]] = [[] for _ in range(len(ordered) + 1)]
    for call in {call.event_id: call for call in calls}.values():
        groups[named.get(call.event_id, _first_after(ordered, call.time))].append(call)
    for group in groups:
        group.sort(key=lambda call: (call.time, call.event_id), reverse=True)
    before = [None, *ordered]
    steps = [
        Step(
            item=item,
            changes=differences(earlier.state, item.state) if earlier else (),
            first=earlier is None,
            calls=group,
        )
        for (earlier, item), group in zip(pairwise(before), groups, strict=False)
        if item is not None
    ]
    if groups[-1]:
        steps.append(Step(item=None, calls=groups[-1]))
    return steps[::-1]


def _first_after(items: Sequence[Item], moment: datetime) -> int:
    return next((i for i, item in enumerate(items) if item.captured >= moment), len(items))
