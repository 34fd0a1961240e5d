"""One account and Region of CloudFormation: its stacks, its change sets, and who deploys there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from opentrail.local.call import Call
from opentrail.local.cloudformation.behalf import Behalf
from opentrail.local.cloudformation.sources import read_source
from opentrail.local.cloudformation.wire import Refusal
from opentrail.local.deployer import Engine, StackState, StackStore
from opentrail.local.deployer.plan import Plan


@dataclass(slots=True, kw_only=True)
class ChangeSet:
    """One change set: what it would deploy, and what became of it."""

    arn: str
    name: str
    stack: StackState
    kind: str  # CREATE, UPDATE
    created: datetime
    description: str | None
    text: str  # the template as given
    template: Mapping[str, Any]
    parameters: dict[str, str]
    settings: dict[str, Any]
    plan: Plan | None  # None when it failed
    reason: str = ""
    on_failure: str = "ROLLBACK"
    execution: str = "AVAILABLE"

    @property
    def status(self) -> str:
        """CloudFormation's ``Status``."""
        return "FAILED" if self.plan is None else "CREATE_COMPLETE"


@dataclass(slots=True)
class Place:
    """The state of one account and Region; operations hold ``lock`` while they change it."""

    store: StackStore
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)  # by ARN
    lock: threading.RLock = field(default_factory=threading.RLock)

    def stack(self, name: str) -> StackState:
        """Return the stack of a name or id.

        Raises:
            Refusal: in the words the CDK CLI looks for.
        """
        found = self.store.get(name)
        if found is None:
            raise Refusal(f"Stack with id {name} does not exist")
        return found

    def change_set(self, parameters: Mapping[str, Any]) -> ChangeSet | None:
        """Return the change set a call names by ARN, or by its name and its stack's."""
        name, stack = str(parameters["ChangeSetName"]), parameters.get("StackName")
        if name in self.change_sets:
            return self.change_sets[name]
        for one in self.change_sets.values():
            if one.name == name and stack in {one.stack.name, one.stack.stack_id}:
                return one
        return None

    def forget_change_sets(self, stack: StackState) -> None:
        """Drop the change sets of a stack, as a deployment and a deletion do."""
        self.change_sets = {arn: one for arn, one in self.change_sets.items() if one.stack is not stack}


@dataclass(frozen=True, slots=True)
class Session:
    """One call at one place, with the clients that act for its caller."""

    call: Call
    place: Place
    behalf: Behalf
    changed: Callable[[StackState], None]  # is told of every stack that was deployed or deleted

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The call's."""
        return self.call.parameters

    def engine(self, role_arn: str = "") -> Engine:
        """Return an engine that deploys as the caller, or as a role that CloudFormation takes on."""
        return Engine(
            self.behalf.clients(self.call, role_arn),
            account=self.call.caller.account,
            region=self.call.region,
            store=self.place.store,
            now=lambda: datetime.now(UTC),
        )

    def source(self) -> tuple[str, dict[str, Any]] | None:
        """Return the call's template, as text and parsed."""

        def read_object(bucket: str, key: str) -> bytes:
            body: bytes = (
                self.behalf.clients(self.call)("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
            )
            return body

        return read_source(self.parameters, read_object)
