"""What is deployed: stacks, their resources and what happened to each, in memory.

The engine makes and changes these values; the CloudFormation API, ``deploy_assembly``
and tests read them. The words are CloudFormation's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Made:
    """A resource as its service knows it."""

    physical_id: str  # what Ref gives
    attributes: dict[str, Any] = field(default_factory=dict)  # what Fn::GetAtt gives


@dataclass(slots=True, kw_only=True)
class Resource:
    """One deployed resource of a stack."""

    logical_id: str
    type_name: str
    made: Made
    properties: Mapping[str, Any]  # resolved; the next deployment compares with them
    wanted: dict[str, Any]  # what the provider read from the properties
    deletion_policy: str  # Delete, Retain, RetainExceptOnCreate
    replace_policy: str  # Delete, Retain
    status: str
    changed: datetime  # UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class StackEvent:
    """One line of a stack's history; the stack itself appears as ``AWS::CloudFormation::Stack``."""

    event_id: str
    time: datetime  # UTC
    logical_id: str
    physical_id: str
    type_name: str
    status: str
    reason: str
    properties: Mapping[str, Any]
    operation_id: str  # the same for all events of one deployment or deletion


@dataclass(slots=True, kw_only=True)
class StackState:
    """One stack. ``events`` are oldest first."""

    name: str
    stack_id: str
    created: datetime  # UTC
    updated: datetime | None = None
    deleted: datetime | None = None
    status: str = "REVIEW_IN_PROGRESS"
    reason: str = ""
    template: Mapping[str, Any] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)  # as given, before SSM look-ups
    resources: dict[str, Resource] = field(default_factory=dict)  # in the order they were made
    outputs: dict[str, str] = field(default_factory=dict)
    exports: dict[str, str] = field(default_factory=dict)  # export name -> value
    imports: set[str] = field(default_factory=set)  # export names of other stacks
    events: list[StackEvent] = field(default_factory=list)
    settings: dict[str, Any] = field(
        default_factory=dict
    )  # what CloudFormation's API keeps beside it, by member


class StackStore:
    """The stacks of one account and Region, and a counter that makes names unique."""

    def __init__(self) -> None:
        self._stacks: dict[str, StackState] = {}
        self._deleted: list[StackState] = []
        self._serial = 0

    def __iter__(self) -> Iterator[StackState]:
        return iter(list(self._stacks.values()))

    def get(self, name: str) -> StackState | None:
        """Return the live stack with this name or stack id, or a deleted one by its stack id."""
        if name in self._stacks:
            return self._stacks[name]
        return next((one for one in [*self, *self._deleted] if one.stack_id == name), None)

    def put(self, stack: StackState) -> None:
        """Keep a new stack; one of the same name that is gone counts as deleted."""
        self._stacks[stack.name] = stack

    def remove(self, stack: StackState) -> None:
        """Take a deleted stack out of the live ones; its events stay readable by stack id."""
        del self._stacks[stack.name]
        self._deleted.append(stack)

    def deleted(self) -> list[StackState]:
        """Return the deleted stacks, in the order they went."""
        return list(self._deleted)

    def next_serial(self) -> int:
        """Return a number this store has not given before, from 1."""
        self._serial += 1
        return self._serial

    def export(self, name: str) -> tuple[StackState, str] | None:
        """Return the stack that exports ``name`` and the value, or None."""
        return next(((one, one.exports[name]) for one in self if name in one.exports), None)

    def importers(self, name: str) -> list[str]:
        """Return the names of the stacks that import ``name``."""
        return [one.name for one in self if name in one.imports]

    def reset(self) -> None:
        """Forget every stack, as when the services behind them were reset."""
        self._stacks.clear()
        self._deleted.clear()
        self._serial = 0


class StackStores:
    """The stacks of every account and Region."""

    def __init__(self) -> None:
        self._stores: dict[tuple[str, str], StackStore] = {}

    def at(self, account: str, region: str) -> StackStore:
        """Return the store of one account and Region."""
        return self._stores.setdefault((account, region), StackStore())

    def reset(self) -> None:
        """Forget every stack."""
        self._stores.clear()
