"""One run of the engine over one stack: place every resource, or put everything back.

Every change of a resource is a ``Step``. When a later one fails, the steps
are undone newest first: what was made is deleted, what was changed is
settled back, what was replaced keeps its old resource, which is deleted only
after the whole deployment succeeded.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from opentrail.errors import DeployError
from opentrail.local.deployer.intrinsics import resolve
from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import EVERYTHING, Provider, Site, Wanted
from opentrail.local.deployer.scope import StackScope
from opentrail.local.deployer.state import Made, Resource, StackEvent, StackState
from opentrail.local.deployer.template import Definition

if TYPE_CHECKING:
    from opentrail.local.deployer.engine import Engine

_STACK: Final = "AWS::CloudFormation::Stack"
_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "opentrail/stack-events")
_FAILURES: Final = (DeployError, BotoCoreError, ClientError)
# What the services answer when the thing to delete is not there.
_GONE: Final = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchEntity",
        "NotFound",
        "NotFoundException",
        "ParameterNotFound",
        "QueueDoesNotExist",
        "ResourceNotFound",
        "ResourceNotFoundException",
    }
)


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to one resource in this run: ``before`` is None when it was made anew."""

    before: Resource | None
    after: Resource
    in_place: bool


class Deployment:
    """Carries one stack from its present resources to a template's, or deletes it."""

    def __init__(self, engine: Engine, state: StackState) -> None:
        self._engine = engine
        self._state = state
        self._steps: list[Step] = []
        self._operation = str(uuid.uuid5(_NAMESPACE, f"{state.stack_id}/operations/{len(state.events)}"))

    def run(self, scope: StackScope, order: list[Definition], given: dict[str, str], *, create: bool) -> None:
        """Place the resources of ``order``, then delete those no longer wanted.

        Raises:
            DeployError: the deployment failed and was rolled back.
        """
        verb = "CREATE" if create else "UPDATE"
        before = replace(self._state, resources=dict(self._state.resources))
        self._stack(f"{verb}_IN_PROGRESS")
        if create:
            self._state.template, self._state.parameters = scope.template.source, given
        else:
            self._state.updated = self._engine.now()
        try:
            for definition in order:
                self._place(definition, scope)
            outputs, exports = scope.outputs()
            self._check_exports(exports)
        except Exception as error:  # whatever happened, the stack must not stay half made
            self._roll_back(before, _reason(error), create=create)
            raise DeployError(_reason(error)) from error
        self._state.template, self._state.parameters = scope.template.source, given
        self._state.outputs, self._state.exports = outputs, exports
        self._state.imports = set(scope.imports)
        self._clean_up(before, [one.logical_id for one in order])
        self._stack(f"{verb}_COMPLETE")

    def delete(self) -> None:
        """Delete every resource, newest first, and the stack when none is left.

        Raises:
            DeployError: names the resources that could not be deleted.
        """
        self._stack("DELETE_IN_PROGRESS")
        failed = []
        for resource in reversed(list(self._state.resources.values())):
            problem = self._remove(resource, keep=resource.deletion_policy != "Delete")
            if problem:
                failed.append(problem)
            else:
                del self._state.resources[resource.logical_id]
        if failed:
            self._stack("DELETE_FAILED", "; ".join(failed))
            raise DeployError(f"stack {self._state.name}: " + "; ".join(failed))
        self._state.outputs, self._state.exports, self._state.imports = {}, {}, set()
        self._state.deleted = self._engine.now()
        self._stack("DELETE_COMPLETE")
        self._engine.store.remove(self._state)

    def refuse_delete(self, reason: str) -> None:
        """Leave the stack as it is, and its events saying why it was not deleted."""
        # UNCONFIRMED which status follows; the stack still works, so it keeps the one it had.
        status = self._state.status
        self._stack("DELETE_IN_PROGRESS")
        self._stack(status, reason)

    def _place(self, definition: Definition, scope: StackScope) -> None:
        logical_id, type_name = definition.logical_id, definition.type_name
        old = self._state.resources.get(logical_id)
        try:
            if old is not None and old.type_name != type_name:
                raise DeployError(f"its type was {old.type_name}; a resource cannot change its type")
            properties = resolve(definition.properties, scope)
            self._apply(definition, properties, old)
        except _FAILURES as error:
            raise DeployError(f"{logical_id} ({type_name}): {_reason(error)}") from error
        scope.made[logical_id] = self._state.resources[logical_id].made

    def _apply(self, definition: Definition, properties: dict[str, Any], old: Resource | None) -> None:
        provider = self._engine.providers[definition.type_name]
        site = self._site(definition.logical_id)
        if old is None:
            self._create(provider, site, definition, properties, None)
        elif old.properties == properties:
            policies = (definition.deletion_policy, definition.replace_policy)
            self._state.resources[old.logical_id] = replace(
                old, deletion_policy=policies[0], replace_policy=policies[1]
            )
        elif must_replace(provider, changed_names(old.properties, properties)):
            self._create(provider, site, definition, properties, old)
        else:
            self._update(provider, site, definition, properties, old)

    def _create(
        self,
        provider: Provider,
        site: Site,
        definition: Definition,
        properties: dict[str, Any],
        old: Resource | None,
    ) -> None:
        verb = "CREATE" if old is None else "UPDATE"
        resource = self._resource(definition, properties, Made(old.made.physical_id if old else ""))
        start = "" if old is None else "Requested update requires the creation of a new physical resource"
        self._event(resource, f"{verb}_IN_PROGRESS", start)
        try:
            resource.wanted = _read(provider, properties, site)
            resource.made = provider.create(resource.wanted, site)
            self._record(Step(old, resource, in_place=False))
            provider.settle(resource.made, None, resource.wanted, site)
        except Exception as error:
            self._event(resource, f"{verb}_FAILED", _reason(error))
            raise
        self._event(resource, f"{verb}_COMPLETE")

    def _update(
        self,
        provider: Provider,
        site: Site,
        definition: Definition,
        properties: dict[str, Any],
        old: Resource,
    ) -> None:
        made = Made(old.made.physical_id, dict(old.made.attributes))
        resource = self._resource(definition, properties, made)
        self._event(resource, "UPDATE_IN_PROGRESS")
        try:
            resource.wanted = _read(provider, properties, site)
            self._record(Step(old, resource, in_place=True))
            provider.settle(made, old.wanted, resource.wanted, site)
        except Exception as error:
            self._event(resource, "UPDATE_FAILED", _reason(error))
            raise
        self._event(resource, "UPDATE_COMPLETE")

    def _record(self, step: Step) -> None:
        self._steps.append(step)
        self._state.resources[step.after.logical_id] = step.after

    def _roll_back(self, before: StackState, reason: str, *, create: bool) -> None:
        verb = "ROLLBACK" if create else "UPDATE_ROLLBACK"
        self._stack(f"{verb}_IN_PROGRESS", reason)
        failed = [problem for step in reversed(self._steps) if (problem := self._undo(step))]
        if not create:
            self._state.resources = before.resources
        self._stack(f"{verb}_FAILED" if failed else f"{verb}_COMPLETE", "; ".join(failed))

    def _undo(self, step: Step) -> str:
        if not step.in_place:
            # RetainExceptOnCreate is named after this case: only Retain keeps what a failed run made.
            problem = self._remove(step.after, keep=step.after.deletion_policy == "Retain")
            if not problem:
                self._state.resources.pop(step.after.logical_id)
            return problem
        assert step.before is not None
        provider = self._engine.providers[step.after.type_name]
        try:
            provider.settle(
                step.before.made, step.after.wanted, step.before.wanted, self._site(step.after.logical_id)
            )
        except Exception as error:  # the other steps are to be undone all the same
            self._event(step.before, "UPDATE_FAILED", _reason(error))
            return f"{step.after.logical_id} ({step.after.type_name}): {_reason(error)}"
        self._event(step.before, "UPDATE_COMPLETE")
        return ""

    def _clean_up(self, before: StackState, order: list[str]) -> None:
        """Delete what was replaced or removed; a failure leaves the resource behind, not the stack failed."""
        replaced = [step.before for step in self._steps if step.before and not step.in_place]
        removed = [one for one in before.resources.values() if one.logical_id not in order]
        if replaced or removed:
            self._stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        for resource in reversed(replaced):
            self._remove(resource, keep=resource.replace_policy == "Retain")
        for resource in reversed(removed):
            self._remove(resource, keep=resource.deletion_policy != "Delete")
        self._state.resources = {name: self._state.resources[name] for name in order}

    def _remove(self, resource: Resource, *, keep: bool) -> str:
        """Delete one resource; return what went wrong, or nothing."""
        if keep:
            self._event(resource, "DELETE_SKIPPED")
            return ""
        self._event(resource, "DELETE_IN_PROGRESS")
        provider = self._engine.providers[resource.type_name]
        try:
            provider.delete(resource.made, resource.wanted, self._site(resource.logical_id))
        except Exception as error:  # the other resources are to be deleted all the same
            if not _is_gone(error):
                self._event(resource, "DELETE_FAILED", _reason(error))
                return f"{resource.logical_id} ({resource.type_name}): {_reason(error)}"
        self._event(resource, "DELETE_COMPLETE")
        return ""

    def _check_exports(self, exports: Mapping[str, str]) -> None:
        store, state = self._engine.store, self._state
        for name in exports:
            found = store.export(name)
            if found is not None and found[0] is not state:
                raise DeployError(f"export {name} already belongs to stack {found[0].name}")
        for name, value in state.exports.items():
            users = store.importers(name)
            if users and exports.get(name) != value:
                raise DeployError(f"export {name} cannot change: it is in use by {', '.join(users)}")

    def _site(self, logical_id: str) -> Site:
        engine, state = self._engine, self._state
        return Site(
            clients=engine.clients,
            account=engine.account,
            region=engine.region,
            partition=engine.partition,
            stack_name=state.name,
            logical_id=logical_id,
            seed=f"{state.stack_id}/{logical_id}/{engine.store.next_serial()}",
        )

    def _resource(self, definition: Definition, properties: dict[str, Any], made: Made) -> Resource:
        return Resource(
            logical_id=definition.logical_id,
            type_name=definition.type_name,
            made=made,
            properties=properties,
            wanted={},
            deletion_policy=definition.deletion_policy,
            replace_policy=definition.replace_policy,
            status="",
            changed=self._engine.now(),
        )

    def _stack(self, status: str, reason: str = "") -> None:
        self._state.status, self._state.reason = status, reason
        self._note(self._state.name, self._state.stack_id, _STACK, status, reason, {})

    def _event(self, resource: Resource, status: str, reason: str = "") -> None:
        resource.status, resource.changed = status, self._engine.now()
        self._note(
            resource.logical_id,
            resource.made.physical_id,
            resource.type_name,
            status,
            reason,
            resource.properties,
        )

    def _note(
        self,
        logical_id: str,
        physical_id: str,
        type_name: str,
        status: str,
        reason: str,
        properties: Mapping[str, Any],
    ) -> None:
        place = f"{self._state.stack_id}/{len(self._state.events)}"
        self._state.events.append(
            StackEvent(
                event_id=str(uuid.uuid5(_NAMESPACE, place)),
                time=self._engine.now(),
                logical_id=logical_id,
                physical_id=physical_id,
                type_name=type_name,
                status=status,
                reason=reason,
                properties=properties,
                operation_id=self._operation,
            )
        )


def _read(provider: Provider, properties: dict[str, Any], site: Site) -> Wanted:
    """Let the provider read the properties, and refuse those it did not read."""
    view = Properties(properties)
    wanted = provider.read(view, site)
    unread = sorted(view.unread())
    if unread:
        raise DeployError(f"property {', '.join(unread)} is not supported")
    return wanted


def changed_names(old: Mapping[str, Any], new: Mapping[str, Any]) -> frozenset[str]:
    """Return the top-level properties in which two resolved resources differ."""
    names: Iterable[str] = old.keys() | new.keys()
    return frozenset(name for name in names if old.get(name) != new.get(name))


def must_replace(provider: Provider, changed: frozenset[str]) -> bool:
    """Return whether a change of these properties needs a new resource."""
    return bool(provider.replaced_by & (changed | EVERYTHING))


def _is_gone(error: Exception) -> bool:
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in _GONE


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, _FAILURES) else f"{type(error).__name__}: {error}"
