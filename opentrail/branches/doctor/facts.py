"""What the doctor looks at. Made by the adapter from the account's own APIs, never from events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that could not be looked at, and why: never taken for good, nor for bad."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketFacts:
    """A bucket that a trail delivers to. Days are whole days; 0 is never."""

    name: str
    region: str
    policy: Mapping[str, Any]  # empty when there is none
    blocks_public: bool  # all four settings of Block Public Access
    versioned: bool
    mfa_delete: bool
    logs_access_to: str  # the bucket of the server access logs; empty when none are written
    lock_days: int  # default retention of Object Lock
    lifecycle: tuple[Mapping[str, Any], ...] = ()  # its rules

    @property
    def expire_days(self) -> int:
        """The shortest expiration of an enabled rule; which objects it concerns is not looked at."""
        rules = [rule for rule in self.lifecycle if rule.get("Status") == "Enabled"]
        return min((days for rule in rules if (days := rule.get("Expiration", {}).get("Days"))), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """A KMS key that a trail encrypts with."""

    arn: str
    state: str  # "Enabled", "Disabled", "PendingDeletion", ...
    rotates: bool

    @property
    def enabled(self) -> bool:
        """Can CloudTrail encrypt with it?"""
        return self.state == "Enabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFacts:
    """A log group that a trail streams to. ``retention_days`` 0 is for ever."""

    name: str
    retention_days: int
    metric_filters: int  # count
    alarmed_filters: int  # count: filters whose metric has an alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailFacts:
    """A trail as its home Region describes it."""

    arn: str
    name: str
    home_region: str
    bucket_name: str
    prefix: str
    multi_region: bool
    global_events: bool
    validates: bool
    of_organization: bool
    topic_arn: str
    key_arn: str
    group_arn: str
    logging: bool
    status: Mapping[str, Any] = field(default_factory=dict)  # GetTrailStatus
    selectors: tuple[Mapping[str, Any], ...] = ()  # EventSelectors
    advanced: tuple[Mapping[str, Any], ...] = ()  # AdvancedEventSelectors
    insight_types: tuple[str, ...] = ()
    bucket: BucketFacts | Unread = Unread("not read")
    key: KeyFacts | Unread | None = None  # None: encrypted with S3's own keys
    group: GroupFacts | Unread | None = None  # None: no log group


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """One account, seen from one Region."""

    account: str
    region: str
    now: datetime
    trails: tuple[TrailFacts, ...]  # this account's own, and the organization's that cover it
    organization: str | Unread = ""  # "o-..."; empty when the account is in none
    manages_organization: bool = False

    @property
    def own_trails(self) -> tuple[TrailFacts, ...]:
        """Those this account may change."""
        return tuple(trail for trail in self.trails if trail.arn.split(":")[4] == self.account)
