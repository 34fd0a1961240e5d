"""What a deployment would change: a stack's resources + a template -> a list of changes, nothing touched.

The words are those of CloudFormation's change sets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from opentrail.errors import DeployError
from opentrail.local.deployer.deployment import changed_names, must_replace
from opentrail.local.deployer.intrinsics import resolve
from opentrail.local.deployer.providers.base import Provider
from opentrail.local.deployer.scope import StackScope
from opentrail.local.deployer.state import Made, Resource, StackState
from opentrail.local.deployer.template import Definition

# CloudFormation's own text for what is known only when the resource exists.
# Source: DescribeChangeSet API reference, ResourceTargetDefinition.AfterValue.
UNKNOWN: Final = "{{changeSet:KNOWN_AFTER_APPLY}}"


class _UnknownAttributes(dict[str, Any]):
    """The attributes of a resource that is yet to be made: every one is there, none is known."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyChange:
    """One top-level property of a resource that is modified; values as JSON text."""

    name: str
    recreates: bool
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One resource that would be added, modified or removed."""

    action: str  # Add, Modify, Remove
    logical_id: str
    type_name: str
    physical_id: str = ""
    replacement: str = ""  # of a modification: True, False, Conditional
    scope: tuple[
        str, ...
    ] = ()  # which parts of it: Properties, Metadata, DeletionPolicy, UpdateReplacePolicy
    properties: tuple[PropertyChange, ...] = ()
    keep: bool = False  # of a removal: the resource stays in the account


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a deployment would change."""

    changes: tuple[Change, ...]
    outputs_change: bool

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to deploy."""
        return not self.changes and not self.outputs_change


def make_plan(
    state: StackState, scope: StackScope, order: list[Definition], providers: Mapping[str, Provider]
) -> Plan:
    """Return the changes in the order they would be made, removals last.

    Args:
        state: the stack as it is; a new one has no resources.
        scope: the new template's; its ``made`` is filled on the way.
        order: the resources wanted, each after those it needs.
        providers: resource type -> provider.

    Raises:
        DeployError: a property cannot be resolved although everything it names exists.
    """
    changes = [change for one in order if (change := _change(state, scope, one, providers[one.type_name]))]
    wanted = {one.logical_id for one in order}
    return Plan((*changes, *_removals(state, wanted)), _outputs_change(state, scope))


def _change(state: StackState, scope: StackScope, one: Definition, provider: Provider) -> Change | None:
    old = state.resources.get(one.logical_id)
    if old is None:
        _resolved(one, scope)
        scope.made[one.logical_id] = Made(UNKNOWN, _UnknownAttributes())
        return Change(action="Add", logical_id=one.logical_id, type_name=one.type_name)
    new = _resolved(one, scope)
    changed = frozenset({"*"}) if new is None else changed_names(old.properties, new)
    replaced = bool(changed) and must_replace(provider, changed)
    scope.made[one.logical_id] = Made(UNKNOWN, _UnknownAttributes()) if replaced else old.made
    parts = (*(("Properties",) if changed else ()), *_attributes(state, old, one))
    if not parts:
        return None
    return Change(
        action="Modify",
        logical_id=one.logical_id,
        type_name=one.type_name,
        physical_id=old.made.physical_id,
        replacement="Conditional" if new is None else str(replaced),
        scope=parts,
        properties=tuple(_property_changes(old, new or {}, changed, provider)),
    )


def _resolved(one: Definition, scope: StackScope) -> dict[str, Any] | None:
    """The properties, or None where they depend on a resource that is yet to be made in a way text cannot."""
    try:
        properties: dict[str, Any] = resolve(one.properties, scope)
    except DeployError:
        if not _waits(scope):
            raise
        return None
    return properties


def _waits(scope: StackScope) -> bool:
    return any(isinstance(made.attributes, _UnknownAttributes) for made in scope.made.values())


def _property_changes(
    old: Resource, new: Mapping[str, Any], changed: frozenset[str], provider: Provider
) -> Iterator[PropertyChange]:
    for name in sorted(changed - {"*"}):
        yield PropertyChange(
            name=name,
            recreates=must_replace(provider, frozenset({name})),
            before=_text(old.properties.get(name)),
            after=_text(new.get(name)),
        )


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, sort_keys=True)


def _attributes(state: StackState, old: Resource, one: Definition) -> Iterator[str]:
    body = state.template["Resources"].get(one.logical_id, {})
    if body.get("Metadata") != one.metadata:
        yield "Metadata"
    if old.deletion_policy != one.deletion_policy:
        yield "DeletionPolicy"
    if old.replace_policy != one.replace_policy:
        yield "UpdateReplacePolicy"


def _removals(state: StackState, wanted: set[str]) -> Iterator[Change]:
    for old in reversed(state.resources.values()):
        if old.logical_id not in wanted:
            yield Change(
                action="Remove",
                logical_id=old.logical_id,
                type_name=old.type_name,
                physical_id=old.made.physical_id,
                keep=old.deletion_policy != "Delete",
            )


def _outputs_change(state: StackState, scope: StackScope) -> bool:
    try:
        return scope.outputs() != (state.outputs, state.exports)
    except DeployError:
        if not _waits(scope):
            raise
        return True
