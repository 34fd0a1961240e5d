"""Stacks: deploy a template, delete a stack.

The library under ``deploy_assembly`` and under the CloudFormation API: it
knows no wire format. It behaves as CloudFormation does: resources in
dependency order, changes in place where the service allows and by
replacement where not, removed resources deleted only after everything else
succeeded, a failed deployment rolled back, each step an event of the stack.

Source: CloudFormation user guide, "Update behaviors of stack resources",
"Stack failure options", "DeletionPolicy attribute".
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import RLock
from typing import Any, Final

from botocore.exceptions import ClientError

from opentrail.errors import DeployError
from opentrail.local.deployer.deployment import Deployment
from opentrail.local.deployer.parameters import parameter_values
from opentrail.local.deployer.plan import Plan, make_plan
from opentrail.local.deployer.providers import PROVIDERS
from opentrail.local.deployer.providers.base import Clients, Provider
from opentrail.local.deployer.scope import StackScope
from opentrail.local.deployer.state import StackState, StackStore
from opentrail.local.deployer.template import Definition, Template, parse_template

# A stack whose creation was rolled back holds nothing to update; deploying it again starts over.
_BEGIN_ANEW: Final = frozenset({"ROLLBACK_COMPLETE", "DELETE_COMPLETE"})
CAN_UPDATE: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
_IN_REVIEW: Final = "REVIEW_IN_PROGRESS"  # a change set waits to create it
_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "opentrail/stacks")


class Engine:
    """Deploys stacks of one account and Region, one at a time.

    Args:
        clients: service name -> boto3 client of that account and Region.
        account: 12 digits.
        region: ``us-east-1``.
        store: where the stacks are kept; shared with whoever shows them.
        now: UTC clock; stamps events.
        providers: resource type -> provider.
        ssm_values: SSM parameters the runtime stands in for (name -> value); all others are looked up.
    """

    def __init__(
        self,
        clients: Clients,
        *,
        account: str,
        region: str,
        store: StackStore,
        now: Callable[[], datetime],
        partition: str = "aws",
        providers: Mapping[str, Provider] = PROVIDERS,
        ssm_values: Mapping[str, str] | None = None,
    ) -> None:
        self.clients = clients
        self.account = account
        self.region = region
        self.partition = partition
        self.store = store
        self.now = now
        self.providers = providers
        self.ssm_values = dict(ssm_values or {})
        self._lock = RLock()

    def deploy(
        self, stack_name: str, template: Mapping[str, Any], parameters: Mapping[str, str] | None = None
    ) -> StackState:
        """Create the stack, or bring the existing one to ``template``.

        Returns only when the stack is ``CREATE_COMPLETE`` or ``UPDATE_COMPLETE``.

        Args:
            stack_name: letters, digits and hyphens.
            template: the template as JSON gives it.
            parameters: values for the template's parameters; the others take their defaults.

        Raises:
            DeployError: names stack, resource, type and what was wrong. A template that
                cannot be deployed at all is refused before anything is touched; a failure
                on the way is rolled back first, and the stack and its events stay in the store.
        """
        with self._lock:
            try:
                return self._deploy(stack_name, template, dict(parameters or {}))
            except DeployError as error:
                raise DeployError(f"stack {stack_name}: {error}") from error

    def delete(self, stack_name: str) -> None:
        """Delete a stack and its resources, save those with ``DeletionPolicy: Retain``.

        A stack that is not there is no error. Resources already gone count as deleted.

        Raises:
            DeployError: another stack imports from this one, or resources could not be
                deleted; those stay in the stack, which is then ``DELETE_FAILED``.
        """
        with self._lock:
            state = self.store.get(stack_name)
            if state is None or state.status == "DELETE_COMPLETE":
                return
            deployment = Deployment(self, state)
            for name in state.exports:
                users = self.store.importers(name)
                if users:
                    used = f"export {name} is in use by {', '.join(users)}"
                    deployment.refuse_delete(f"Delete canceled: {used}")
                    raise DeployError(f"stack {state.name} cannot be deleted: {used}")
            deployment.delete()

    def plan(
        self, stack_name: str, template: Mapping[str, Any], parameters: Mapping[str, str] | None = None
    ) -> Plan:
        """Return what ``deploy`` with these arguments would change, and change nothing.

        Raises:
            DeployError: as ``deploy`` does for a template that cannot be deployed at all.
        """
        with self._lock:
            state, scope, order, _ = self._prepare(stack_name, template, dict(parameters or {}))
            return make_plan(state, scope, order, self.providers)

    def review(self, stack_name: str) -> StackState:
        """Return the stack of that name, making one in ``REVIEW_IN_PROGRESS`` when there is none.

        That is what CloudFormation leaves behind for a change set that has not been executed.
        """
        with self._lock:
            state = self.store.get(stack_name)
            if state is None or state.status == "DELETE_COMPLETE":
                state = self._new_state(stack_name)
                self.store.put(state)
            return state

    def _deploy(self, name: str, source: Mapping[str, Any], given: dict[str, str]) -> StackState:
        state, scope, order, fresh = self._prepare(name, source, given)
        if fresh:
            self.store.put(state)
        Deployment(self, state).run(scope, order, given, create=fresh)
        return state

    def _prepare(
        self, name: str, source: Mapping[str, Any], given: dict[str, str]
    ) -> tuple[StackState, StackScope, list[Definition], bool]:
        """The stack, its names' meaning, its resources in order, and whether it is made anew."""
        template = parse_template(source)
        self._check_types(template)
        values = parameter_values(template.parameters, given, ssm=self._ssm)
        existing = self.store.get(name)
        fresh = existing is None or existing.status in _BEGIN_ANEW or existing.status == _IN_REVIEW
        if existing is not None and not fresh and existing.status not in CAN_UPDATE:
            raise DeployError(f"it is {existing.status} ({existing.reason}); delete it first")
        keep = existing is not None and existing.status not in _BEGIN_ANEW
        state = existing if existing is not None and keep else self._new_state(name)
        scope = self._scope(state, template, values)
        scope.check_rules()
        return state, scope, [one for one in template.ordered() if scope.active(one.condition)], fresh

    def _check_types(self, template: Template) -> None:
        unknown = [
            f"{one.logical_id} ({one.type_name})"
            for one in template.resources.values()
            if one.type_name not in self.providers
        ]
        if unknown:
            raise DeployError(f"resource types not supported: {', '.join(unknown)}")

    def _new_state(self, name: str) -> StackState:
        unique = uuid.uuid5(_NAMESPACE, f"{self.account}/{self.region}/{name}/{self.store.next_serial()}")
        stack_id = f"arn:{self.partition}:cloudformation:{self.region}:{self.account}:stack/{name}/{unique}"
        return StackState(name=name, stack_id=stack_id, created=self.now())

    def _scope(
        self, state: StackState, template: Template, values: Mapping[str, str | list[str]]
    ) -> StackScope:
        return StackScope(
            template=template,
            parameters=values,
            account=self.account,
            region=self.region,
            partition=self.partition,
            stack_name=state.name,
            stack_id=state.stack_id,
            store=self.store,
        )

    def _ssm(self, name: str) -> str:
        if name in self.ssm_values:
            return self.ssm_values[name]
        try:
            return str(self.clients("ssm").get_parameter(Name=name)["Parameter"]["Value"])
        except ClientError as error:
            raise DeployError(f"SSM parameter {name}: {error.response['Error']['Code']}") from error
