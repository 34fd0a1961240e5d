"""What the actions need of the world, one small port each.

The adapters satisfy these by shape. A port's methods are the permissions of the
function that hosts the API.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from opentrail.branches.history import SegmentFiles, SegmentIndex
from opentrail.branches.insights.series import Counts, Series
from opentrail.model.resource import Bucket, Key, Organization, PublicKey, Role, Topic
from opentrail.model.trail import Trail, TrailStatus


class Stored(Protocol):
    """A trail and the version a conditional write must name."""

    @property
    def trail(self) -> Trail: ...
    @property
    def version(self) -> int: ...


class TrailStore(Protocol):
    """Trails and their status. Reads are consistent, writes conditional.

    Every method raises ``StorageError``; the writes ``ConflictError`` when they lost.
    """

    def trails_of(self, account: str) -> list[Trail]:
        """Every trail ``account`` owns, in any Region."""

    def read(self, account: str, home_region: str, name: str) -> Stored | None:
        """One trail, or None."""

    def put(self, trail: Trail, *, new: bool) -> None:
        """Create: with ``new``, only when there is none of that name."""

    def replace(self, trail: Trail, *, version: int) -> None:
        """Write over the version that was read."""

    def delete(self, trail: Trail) -> None:
        """Delete a trail that exists."""

    def status(self, arn: str, region: str) -> TrailStatus:
        """The latest outcomes in one Region."""

    def update_status(self, arn: str, region: str, **fields: float | str) -> None:
        """Note some of the latest outcomes in one Region."""

    def delete_status(self, arn: str) -> None:
        """Forget the outcomes in every Region."""


class Buckets(Protocol):
    """Maps to s3:ListBucket, GetBucketPolicy, GetEncryptionConfiguration, GetBucketRequestPayment."""

    def find(self, name: str, account: str) -> Bucket | None:
        """The bucket, asked for on behalf of ``account``, or None. Raises ``StorageError``."""


class Keys(Protocol):
    """Maps to kms:DescribeKey and kms:GetKeyPolicy."""

    def find(self, key_id: str, account: str, region: str) -> Key | None:
        """The key that a key ID, key ARN or alias means to ``account`` in ``region``, or None.

        Raises ``StorageError``.
        """


class Topics(Protocol):
    """Maps to sns:GetTopicAttributes and sns:Publish."""

    def find(self, arn: str) -> Topic | None:
        """The topic, or None. Raises ``StorageError``."""

    def publish(self, arn: str, message: str) -> None:
        """Send one message. Raises ``StorageError``."""


class LogGroups(Protocol):
    """Maps to logs:DescribeLogGroups."""

    def exists(self, name: str, account: str, region: str) -> bool:
        """True when there is a log group of exactly this name. Raises ``StorageError``."""


class Roles(Protocol):
    """Maps to iam:GetRole and the reading of its inline and attached policies."""

    def find(self, arn: str) -> Role | None:
        """The role, or None. Raises ``StorageError``."""


class PublicKeys(Protocol):
    """Maps to dynamodb:Query on the register of signing keys; kms:GetPublicKey until there is one."""

    def keys(self, start: datetime, end: datetime, now: datetime) -> Sequence[PublicKey]:
        """Every key valid at some moment from ``start`` to ``end``. Raises ``StorageError``."""

    def current(self, now: datetime) -> PublicKey:
        """The key that digests are signed with. Raises ``StorageError``."""


class Organizations(Protocol):
    """The organization's directory; each method maps to the call of organizations of like name."""

    def of(self, account: str) -> Organization | None:
        """The organization ``account`` is in, or None. Raises ``StorageError``."""

    def trusts_cloudtrail(self, organization: Organization) -> bool:
        """True when trusted access is enabled for CloudTrail. Raises ``StorageError``."""

    def delegated_admins(self, organization: Organization) -> frozenset[str]:
        """The accounts that administer CloudTrail for the organization. Raises ``StorageError``."""

    def has_account(self, organization: Organization, account: str) -> bool:
        """True when ``account`` is in the organization. Raises ``StorageError``."""

    def add_admin(self, organization: Organization, account: str) -> None:
        """Make ``account`` a delegated administrator for CloudTrail. Raises ``StorageError``."""

    def remove_admin(self, organization: Organization, account: str) -> None:
        """Take that back. Raises ``StorageError``."""


class LookupRate(Protocol):
    """How often LookupEvents may be asked. Maps to dynamodb:UpdateItem on the history table."""

    def take(self, account: str, region: str, now: datetime) -> bool:
        """Count one lookup of ``account`` in ``region``; False when it is one too many.

        Raises ``StorageError``.
        """


class CallCounts(Protocol):
    """What Insights counts. Maps to dynamodb:Query on the history table."""

    def counts_of(self, series: Series, *, first: int, end: int) -> Counts:
        """Calls by minute of the minutes ``[first, end)`` since 1970. Raises ``StorageError``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything the actions reach the world through."""

    trails: TrailStore
    buckets: Buckets
    keys: Keys
    topics: Topics
    log_groups: LogGroups
    roles: Roles
    public_keys: PublicKeys
    organizations: Organizations
    segments: SegmentIndex
    segment_files: SegmentFiles
    call_counts: CallCounts
    lookup_rate: LookupRate | None = None  # None: as often as anybody likes
