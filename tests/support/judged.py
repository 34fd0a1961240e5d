"""What IAM on the laptop was asked while something ran, and what it would have said of other policies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from opentrail.local.iam import authorizer
from opentrail.local.iam.decide import Principal, decide
from opentrail.local.iam.policy import Document, Request, listed
from opentrail.local.iam.sources import Held

Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Judged:
    """One request that was judged, with all that it was judged by."""

    request: Request
    principal: Principal
    policy: Document | None
    owner: str

    def is_by(self, role: str) -> bool:
        """Did a session of this role ask?"""
        return any(f":role/{role}" in arn for arn in self.principal.arns)

    def verdict(self) -> str:
        """Return "" if it was allowed, else why not."""
        return self._by(self.principal)

    def without(self, statement: Statement) -> str:
        """Return the verdict if the caller's policies lacked a statement."""
        return self.under(lambda held: [one for one in held if one != statement])

    def under(self, change: Callable[[list[Statement]], Sequence[Statement]]) -> str:
        """Return the verdict if the caller's policies were changed."""
        policies = tuple(
            {**document, "Statement": change(listed(document["Statement"]))}
            for document in self.principal.held.policies
        )
        return self._by(replace(self.principal, held=Held(policies, self.principal.held.boundary)))

    def _by(self, principal: Principal) -> str:
        return decide(self.request, principal, self.policy, owner=self.owner, partition="aws")


def distinct(asked: Iterable[Judged]) -> list[Judged]:
    """Return the first of those that no policy here tells apart: action, resource, asking service."""
    found: dict[tuple[str, ...], Judged] = {}
    for one in asked:
        via = one.request.context.get("kms:viaservice", ())
        found.setdefault((one.request.action, one.request.resource, *via), one)
    return list(found.values())


@contextmanager
def judging() -> Iterator[list[Judged]]:
    """Yield the list of what IAM is asked inside the block; it grows."""
    asked: list[Judged] = []

    def watched(
        request: Request, principal: Principal, policy: Document | None, *, owner: str, partition: str
    ) -> str:
        asked.append(Judged(request, principal, policy, owner))
        return decide(request, principal, policy, owner=owner, partition=partition)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(authorizer, "decide", watched)
        yield asked


@dataclass(frozen=True)
class Part:
    """The smallest part of a policy: one action of one statement on one of its resources."""

    statement: Statement
    action: str
    resource: str

    def __str__(self) -> str:
        """Return it without what it stands beside."""
        return f"{self.action} {self.resource}"

    def taken_from(self, statements: Sequence[Statement]) -> list[Statement]:
        """Return the statements without this part; all others stay."""
        return [one for old in statements for one in (self._left(old) if old == self.statement else (old,))]

    def _left(self, statement: Statement) -> Iterator[Statement]:
        actions = [action for action in listed(statement["Action"]) if action != self.action]
        resources = [resource for resource in listed(statement["Resource"]) if resource != self.resource]
        if actions:
            yield {**statement, "Action": actions}
        if resources:
            yield {**statement, "Action": self.action, "Resource": resources}


def parts(statements: Sequence[Statement]) -> list[Part]:
    """Return all that the statements of a role allow."""
    return [
        Part(statement, action, resource)
        for statement in statements
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]
