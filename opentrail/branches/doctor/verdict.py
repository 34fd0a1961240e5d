"""What a check says of one thing, and what would make it pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from opentrail.branches.doctor.facts import AccountFacts, BucketFacts, TrailFacts, Unread


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """Commands, and those of the facts they replace as a whole, so that a later fix can keep them."""

    commands: tuple[str, ...] = ()
    bucket: str = ""
    policy: Mapping[str, Any] | None = None  # the new one of ``bucket``
    trail: str = ""
    basic: tuple[Mapping[str, Any], ...] | None = None  # the new selectors of ``trail``
    advanced: tuple[Mapping[str, Any], ...] | None = None

    def applied_to(self, facts: AccountFacts) -> AccountFacts:
        """The facts when the commands have run."""
        return replace(facts, trails=tuple(self._change(trail) for trail in facts.trails))

    def _change(self, trail: TrailFacts) -> TrailFacts:
        if (
            self.policy is not None
            and isinstance(trail.bucket, BucketFacts)
            and trail.bucket.name == self.bucket
        ):
            trail = replace(trail, bucket=replace(trail.bucket, policy=self.policy))
        if trail.arn == self.trail:
            trail = replace(trail, selectors=self.basic or (), advanced=self.advanced or ())
        return trail


NO_FIX = Fix()


@dataclass(frozen=True, slots=True)
class Verdict:
    """``holds`` is None where it could not be found out."""

    subject: str
    holds: bool | None
    evidence: str
    fix: Fix = NO_FIX


def unread(subject: str, what: Unread) -> Verdict:
    """The verdict on something that could not be looked at."""
    return Verdict(subject, None, what.reason)
