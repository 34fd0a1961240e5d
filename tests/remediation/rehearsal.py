"""A playbook plays all its dangers under its own role, and then again with a permission less."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from itertools import count
from typing import Any

from lambdas.remediation.handler import build
from opentrail.branches.remediation import Outcome
from opentrail.branches.remediation.decision import decision_id
from opentrail.branches.remediation.engine import Engine
from opentrail.errors import StorageError
from opentrail.local.iam.policy import listed
from opentrail.settings import RemediationSettings
from opentrail.testing.world import OpenTrail
from tests.remediation.case import Case
from tests.remediation.playbook import NOW, Deployed
from tests.support.judged import Judged, Part, Statement, distinct, parts
from tests.support.roles import clients_as, credentials_of

_words = (f"r{number}" for number in count())
_hours = (timedelta(hours=number) for number in count())  # limits and breaker forget within one


@dataclass(frozen=True)
class Story:
    """One danger: the record of the dangerous call, and how to see it; alerts have only the record."""

    record: Mapping[str, Any]
    case: Case | None = None
    name: str = ""

    def is_dangerous(self, aws: OpenTrail) -> bool:
        """Is the live resource dangerous?"""
        return self.case is not None and self.case.is_dangerous(aws, self.name)


@dataclass
class Rehearsal:
    """What came of it.

    Attributes:
        proven: parts of the roles of all playbooks that one of them was tried without.
        asked: every request that IAM judged in the playbook's name while it had its whole role.
        played: for each story, what became of it.
        unharmed: what could be taken from the role without any harm.
    """

    aws: OpenTrail
    deployed: Deployed
    proven: set[str] = field(default_factory=set)
    asked: list[Judged] = field(default_factory=list)
    played: list[str] = field(default_factory=list)
    unharmed: list[Part] = field(default_factory=list)

    @property
    def role(self) -> str:
        """The role's name."""
        return f"OpenTrail-fix-{self.deployed.id}-{self.aws.region}"

    def statements(self) -> list[Statement]:
        """Return what the role was given, by whichever policy."""
        return [one for document in self._documents().values() for one in listed(document["Statement"])]

    def needed(self) -> list[Part]:
        """Return the parts of its role without which a request of some story would have been denied."""
        return [part for part in parts(self.statements()) if self._needs(part, self.asked)]

    def spare(self) -> list[Part]:
        """Return the others."""
        return [part for part in parts(self.statements()) if not self._needs(part, self.asked)]

    def tell(self, case: Case) -> Story:
        """Make a resource dangerous by the call that the playbook waits for."""
        with nullcontext() if case.recorded else self.aws.runtime.unrecorded():
            name = case.make(self.aws, next(_words))
        case.endanger(self.aws, name)
        (record,) = self.aws.events(pattern=self.deployed.playbook.pattern)
        assert case.is_dangerous(self.aws, name)
        return Story(record, case, name)

    def play(self, story: Story, judged: list[Judged]) -> None:
        """Let the function act and undo it, then take from its role, part by part, what that needed."""
        judged.clear()
        self.played.append(self._alert(story) if story.case is None else self._act(story))
        asked = distinct(one for one in judged if one.is_by(self.role))
        for part in parts(self.statements()):
            is_new = self._needs(part, asked) and not self._needs(part, self.asked)
            if is_new and self._is_own_or_first(part) and not self._fails_without(part, story):
                self.unharmed.append(part)
        self.asked += asked

    def _act(self, story: Story) -> str:
        self.aws.runtime.asynchronous.run_all()  # the rule's target
        if story.is_dangerous(self.aws):
            return "still dangerous"
        acted = decision_id(str(story.record["eventID"]), self.deployed.id, Outcome.ACTED)
        undone = str(self.deployed.undo(acted).get("outcome"))
        return undone if story.is_dangerous(self.aws) else "fixed for good"

    def _alert(self, story: Story) -> str:
        return str(self.deployed.invoke({"detail": story.record}).get("outcome"))

    def _is_own_or_first(self, part: Part) -> bool:
        """Is it for the playbook's own work, or not yet tried? The engine's work is the same for all."""
        playbook = self.deployed.playbook
        own = {action for allowed in (*playbook.reads, *playbook.writes) for action in allowed.actions}
        is_first = str(part) not in self.proven
        self.proven.add(str(part))
        return is_first or part.action in own

    @staticmethod
    def _needs(part: Part, asked: list[Judged]) -> bool:
        return any(one.under(part.taken_from) for one in asked)

    def _fails_without(self, part: Part, story: Story) -> bool:
        """Does it fail without ``part``, and name that? It is whole and dangerous again afterwards."""
        now = NOW + next(_hours)
        record = {**story.record, "eventID": f"{story.record['eventID']}-{now:%m%d%H}"}
        acted = decision_id(record["eventID"], self.deployed.id, Outcome.ACTED)
        engine = self._engine
        said = ""
        with self._without(part):
            try:
                said = engine.handle(record, now).reason
                if not said and story.case is not None:
                    engine.undo(acted, "alice", now)
            except StorageError as error:
                said = str(error)
        with suppress(StorageError):  # nothing was changed, or it was put back already
            engine.undo(acted, "alice", now)
        assert story.case is None or story.is_dangerous(self.aws)
        return f"not authorized to perform: {part.action} " in said

    @cached_property
    def _engine(self) -> Engine:
        function = self.deployed.function
        settings = RemediationSettings.from_env(function.environment_vars)
        clients = clients_as(self.aws, credentials_of(self.aws, function))
        return build(settings, clients).engine(function.function_arn)

    def _documents(self) -> dict[str, Any]:
        iam = self.aws.client("iam")
        with self.aws.runtime.unrecorded():
            names = iam.list_role_policies(RoleName=self.role)["PolicyNames"]
            return {
                name: iam.get_role_policy(RoleName=self.role, PolicyName=name)["PolicyDocument"]
                for name in names
            }

    @contextmanager
    def _without(self, part: Part) -> Iterator[None]:
        (name, whole) = next(
            (name, document)
            for name, document in self._documents().items()
            if part.statement in listed(document["Statement"])
        )
        self._give(name, {**whole, "Statement": part.taken_from(listed(whole["Statement"]))})
        try:
            yield
        finally:
            self._give(name, whole)

    def _give(self, name: str, document: Mapping[str, Any]) -> None:
        iam, named = self.aws.client("iam"), {"RoleName": self.role, "PolicyName": name}
        with self.aws.runtime.unrecorded():
            if document["Statement"]:
                iam.put_role_policy(**named, PolicyDocument=json.dumps(document))
            else:
                iam.delete_role_policy(**named)
