"""The ports in memory. The store's promises are checked against DynamoDB in tests/adapters/api."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from msgspec.structs import replace

from opentrail.api.app import ApiReply, ApiRequest, CloudTrailApi
from opentrail.api.ports import LookupRate, Ports
from opentrail.branches.insights.series import Counts, Series
from opentrail.errors import ConflictError, StorageError
from opentrail.model.resource import Bucket, Key, Organization, PublicKey, Role, Topic
from opentrail.model.trail import Trail, TrailStatus
from tests.support.history import FakeHistory

ACCOUNT = "123456789012"
MANAGEMENT = "111111111111"
MEMBER = "222222222222"
ADMIN = "333333333333"
ORGANIZATION = "o-exampleorgid"
HOME = "us-east-1"
ABROAD = "eu-west-1"
NOW = datetime(2026, 1, 10, 4, 20, 31, 123456, UTC)
KEY_ARN = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
TOPIC_ARN = f"arn:aws:sns:us-east-1:{ACCOUNT}:news"
GROUP_ARN = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail:*"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/trail-logs"
CLOUDTRAIL = {"Service": "cloudtrail.amazonaws.com"}


class Versioned(NamedTuple):
    trail: Trail
    version: int


class FakeTrails:
    """A trail store that keeps its promises in two dictionaries."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str, str], Versioned] = {}
        self.statuses: dict[tuple[str, str], TrailStatus] = {}

    def trails_of(self, account: str) -> list[Trail]:
        return [s.trail for k, s in sorted(self.stored.items()) if k[0] == account]

    def read(self, account: str, home_region: str, name: str) -> Versioned | None:
        return self.stored.get((account, home_region, name))

    def put(self, trail: Trail, *, new: bool) -> None:
        old = self.stored.get(_key(trail))
        if new and old:
            raise ConflictError("exists")
        self.stored[_key(trail)] = Versioned(trail, old.version + 1 if old else 1)

    def replace(self, trail: Trail, *, version: int) -> None:
        old = self.stored.get(_key(trail))
        if old is None or old.version != version:
            raise ConflictError("changed")
        self.stored[_key(trail)] = Versioned(trail, version + 1)

    def delete(self, trail: Trail) -> None:
        if self.stored.pop(_key(trail), None) is None:
            raise ConflictError("gone")

    def status(self, arn: str, region: str) -> TrailStatus:
        return self.statuses.get((arn, region), TrailStatus())

    def update_status(self, arn: str, region: str, **fields: float | str) -> None:
        self.statuses[arn, region] = replace(self.status(arn, region), **fields)

    def delete_status(self, arn: str) -> None:
        self.statuses = {k: s for k, s in self.statuses.items() if k[0] != arn}


class FakeCounts:
    """Calls by series and minute."""

    def __init__(self) -> None:
        self.known: dict[Series, Counts] = {}

    def counts_of(self, series: Series, *, first: int, end: int) -> Counts:
        return {m: n for m, n in self.known.get(series, {}).items() if first <= m < end}


def _key(trail: Trail) -> tuple[str, str, str]:
    return trail.account, trail.home_region, trail.name


def bucket_policy(bucket: str = "logs", prefix: str = "", owner: str = ACCOUNT) -> dict[str, Any]:
    """The user guide's bucket policy."""
    path = f"{prefix}/AWSLogs/{owner}/*" if prefix else f"AWSLogs/{owner}/*"
    acl = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
    return {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": CLOUDTRAIL,
                "Action": "s3:GetBucketAcl",
                "Resource": f"arn:aws:s3:::{bucket}",
            },
            {
                "Effect": "Allow",
                "Principal": CLOUDTRAIL,
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{bucket}/{path}",
                "Condition": acl,
            },
        ]
    }


def key_policy(*actions: str) -> dict[str, Any]:
    """The user guide's key policy; ``actions`` default to what it lists for trails."""
    context = {"kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"}
    wanted = actions or ("kms:GenerateDataKey*", "kms:DescribeKey")
    statements = [
        {
            "Effect": "Allow",
            "Principal": CLOUDTRAIL,
            "Action": action,
            "Resource": "*",
            **({} if action == "kms:DescribeKey" else {"Condition": {"StringLike": context}}),
        }
        for action in wanted
    ]
    return {"Statement": statements}


def topic_policy() -> dict[str, Any]:
    allow = {"Effect": "Allow", "Principal": CLOUDTRAIL, "Action": "SNS:Publish", "Resource": TOPIC_ARN}
    return {"Statement": [allow]}


def make_key(**changes: Any) -> Key:
    facts: dict[str, Any] = {
        "arn": KEY_ARN,
        "region": HOME,
        "enabled": True,
        "symmetric": True,
        "policy": key_policy(),
    }
    return Key(**(facts | changes))


def make_role(**changes: Any) -> Role:
    trust = {"Statement": [{"Effect": "Allow", "Principal": CLOUDTRAIL, "Action": "sts:AssumeRole"}]}
    stream = f"{GROUP_ARN.removesuffix(':*')}:log-stream:{ACCOUNT}_CloudTrail_us-east-1*"
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    policy = {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": stream}]}
    facts: dict[str, Any] = {"trust": trust, "policies": [policy]}
    return Role(**(facts | changes))


@dataclass
class World:
    """Everything outside, ready for a plain trail named by its tests; also all the small ports."""

    trails: FakeTrails = field(default_factory=FakeTrails)
    buckets: dict[str, Bucket] = field(
        default_factory=lambda: {"logs": Bucket(region=HOME, policy=bucket_policy())}
    )
    keys: dict[str, Key] = field(default_factory=lambda: {KEY_ARN: make_key(), "alias/logs": make_key()})
    published: list[tuple[str, str]] = field(default_factory=list)  # (topic ARN, message)
    mute_topics: set[str] = field(default_factory=set)  # those that refuse the deployment itself
    topics: dict[str, Topic] = field(default_factory=lambda: {TOPIC_ARN: Topic(policy=topic_policy())})
    groups: set[str] = field(default_factory=lambda: {"trail"})
    roles: dict[str, Role] = field(default_factory=lambda: {ROLE_ARN: make_role()})
    public_keys: list[PublicKey] = field(
        default_factory=lambda: [
            PublicKey(der=b"der", valid_from=NOW - timedelta(days=1), valid_to=NOW + timedelta(days=29))
        ]
    )
    organization: Organization | None = None
    trusted: bool = True
    members: set[str] = field(default_factory=lambda: {MANAGEMENT, MEMBER, ADMIN})
    admins: set[str] = field(default_factory=set)
    history: FakeHistory = field(default_factory=FakeHistory)
    call_counts: FakeCounts = field(default_factory=FakeCounts)
    lookup_rate: LookupRate | None = None

    def ports(self) -> Ports:
        return Ports(
            trails=self.trails,
            buckets=_Buckets(self),
            keys=_Keys(self),
            topics=_Topics(self),
            log_groups=_LogGroups(self),
            roles=_Roles(self),
            public_keys=_PublicKeys(self),
            organizations=_Organizations(self),
            segments=self.history,
            segment_files=self.history,
            call_counts=self.call_counts,
            lookup_rate=self.lookup_rate,
        )

    def ask(
        self,
        operation: str,
        *,
        account: str = ACCOUNT,
        region: str = HOME,
        now: datetime = NOW,
        body: bytes | None = None,
        **members: Any,
    ) -> ApiReply:
        """One request; ``members`` are its input as JSON has it, unless ``body`` is given."""
        request = ApiRequest(
            target=operation,
            body=json.dumps(members).encode() if body is None else body,
            account=account,
            region=region,
            caller_arn=f"arn:aws:iam::{account}:user/eve",
            now=now,
            request_id="r-1",
        )
        return CloudTrailApi(self.ports()).answer(request)

    def call(self, operation: str, **members: Any) -> dict[str, Any]:
        """The output of a request that must succeed."""
        reply = self.ask(operation, **members)
        output: dict[str, Any] = json.loads(reply.body)
        assert reply.status == 200, output
        return output

    def refusal(self, operation: str, **members: Any) -> tuple[str, str]:
        """Code and message of a request that must be refused."""
        reply = self.ask(operation, **members)
        output = json.loads(reply.body)
        assert reply.status != 200, output
        return output["__type"], output.get("Message", "")

    def create(self, name: str = "audit", **members: Any) -> dict[str, Any]:
        """Create a trail on the bucket that is there."""
        return self.call("CreateTrail", **({"Name": name, "S3BucketName": "logs"} | members))

    def stored(self, name: str = "audit", region: str = HOME, account: str = ACCOUNT) -> Trail:
        """The trail as the store has it."""
        return self.trails.stored[account, region, name].trail


@dataclass
class _Part:
    world: World


class _Buckets(_Part):
    def find(self, name: str, account: str) -> Bucket | None:
        return self.world.buckets.get(name)


class _Keys(_Part):
    def find(self, key_id: str, account: str, region: str) -> Key | None:
        return self.world.keys.get(key_id)


class _Topics(_Part):
    def find(self, arn: str) -> Topic | None:
        return self.world.topics.get(arn)

    def publish(self, arn: str, message: str) -> None:
        if arn in self.world.mute_topics:
            raise StorageError(f"publish to {arn}: no", "AuthorizationError")
        self.world.published.append((arn, message))


class _LogGroups(_Part):
    def exists(self, name: str, account: str, region: str) -> bool:
        return name in self.world.groups


class _Roles(_Part):
    def find(self, arn: str) -> Role | None:
        return self.world.roles.get(arn)


class _PublicKeys(_Part):
    def keys(self, start: datetime, end: datetime, now: datetime) -> list[PublicKey]:
        return [k for k in self.world.public_keys if k.valid_from <= end and k.valid_to >= start]

    def current(self, now: datetime) -> PublicKey:
        return self.world.public_keys[-1]


class _Organizations(_Part):
    def of(self, account: str) -> Organization | None:
        return self.world.organization if account in self.world.members else None

    def trusts_cloudtrail(self, organization: Organization) -> bool:
        return self.world.trusted

    def delegated_admins(self, organization: Organization) -> frozenset[str]:
        return frozenset(self.world.admins)

    def has_account(self, organization: Organization, account: str) -> bool:
        return account in self.world.members

    def add_admin(self, organization: Organization, account: str) -> None:
        self.world.admins.add(account)

    def remove_admin(self, organization: Organization, account: str) -> None:
        self.world.admins.remove(account)


def statements(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The statements of a policy, to change one of them."""
    found: list[dict[str, Any]] = policy["Statement"]
    return found
