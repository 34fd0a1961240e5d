"""What CloudTrail asks of things that are not its own: buckets, keys, topics, roles, organizations.

Made by the adapters, taken by the API. What may not be read counts as granting nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Policy = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """An S3 bucket; ``policy`` is None when it has none."""

    region: str
    policy: Policy | None
    uses_bucket_key: bool = False
    requester_pays: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A KMS key."""

    arn: str
    region: str
    enabled: bool
    symmetric: bool
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """An SNS topic; ``key_id`` is set when it is encrypted."""

    policy: Policy
    key_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """An IAM role with its trust policy and its inline and attached policies."""

    trust: Policy
    policies: Sequence[Policy]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """One RSA public key and when digests may be signed with it."""

    der: bytes  # PKCS#1 RSAPublicKey
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """An organization of AWS Organizations."""

    id: str  # "o-..."
    management_account: str
    all_features: bool
