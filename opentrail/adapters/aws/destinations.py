"""What CloudTrail asks of the things a trail delivers to: buckets, keys, topics, log groups, roles.

Clients come from ``clients_for(account, region)(service)``, since a bucket, key
or topic may be anywhere. What the deployment may not read counts as not
granting anything, so that it is refused rather than taken on trust.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from opentrail.adapters.aws.failure import storage_errors
from opentrail.adapters.aws.regions import known_regions
from opentrail.model.resource import Bucket, Key, Policy, Role, Topic

ClientsFor = Callable[[str, str], Callable[[str], Any]]

_DENIED = frozenset(
    {"403", "AccessDenied", "AccessDeniedException", "AuthorizationError", "MethodNotAllowed"}
)


class S3Buckets:
    """Buckets of any Region; ``region`` is where to begin asking."""

    def __init__(self, clients_for: ClientsFor, region: str) -> None:
        self._clients_for = clients_for
        self._region = region

    def find(self, name: str, account: str) -> Bucket | None:
        """See ``opentrail.api.ports.Buckets``."""
        with storage_errors(f"look at s3://{name}"):
            region = self._region_of(name, account)
            return self._read(name, account, region) if region else None

    def _region_of(self, name: str, account: str) -> str:
        s3 = self._clients_for(account, self._region)("s3")
        try:
            headers = s3.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPHeaders"]
        except ClientError as error:
            if _code(error) in {"404", "NoSuchBucket"}:
                return ""
            if _code(error) not in _DENIED:
                raise
            headers = error.response["ResponseMetadata"]["HTTPHeaders"]
        return str(headers.get("x-amz-bucket-region", self._region))

    def _read(self, name: str, account: str, region: str) -> Bucket:
        s3 = self._clients_for(account, region)("s3")
        policy = _unless(_DENIED | {"NoSuchBucketPolicy"}, s3.get_bucket_policy, Bucket=name)
        absent = "ServerSideEncryptionConfigurationNotFoundError"
        encryption = _unless(_DENIED | {absent}, s3.get_bucket_encryption, Bucket=name)
        payment = _unless(_DENIED, s3.get_bucket_request_payment, Bucket=name)
        rules = encryption.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
        return Bucket(
            region=region,
            policy=_parse(policy["Policy"]) if policy else None,
            uses_bucket_key=any(rule.get("BucketKeyEnabled", False) for rule in rules),
            requester_pays=payment.get("Payer") == "Requester",
        )


class KmsKeys:
    """Keys by ID, ARN or alias."""

    def __init__(self, clients_for: ClientsFor) -> None:
        self._clients_for = clients_for

    def find(self, key_id: str, account: str, region: str) -> Key | None:
        """See ``opentrail.api.ports.Keys``."""
        if key_id.startswith("arn:"):
            _, _, _, region, account, _ = key_id.split(":", 5)
        if region not in known_regions():
            return None
        kms = self._clients_for(account, region)("kms")
        with storage_errors(f"look at key {key_id}"):
            gone = {"NotFoundException", "InvalidArnException", "ValidationException", *_DENIED}
            facts = _unless(gone, kms.describe_key, KeyId=key_id).get("KeyMetadata")
            if facts is None:
                return None
            policy = _unless(_DENIED, kms.get_key_policy, KeyId=facts["Arn"], PolicyName="default")
        return Key(
            arn=facts["Arn"],
            region=facts["Arn"].split(":")[3],
            enabled=facts["KeyState"] == "Enabled",
            symmetric=facts.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT",
            policy=_parse(policy.get("Policy", "{}")),
        )


class SnsTopics:
    """Topics of any account and Region."""

    def __init__(self, clients_for: ClientsFor) -> None:
        self._clients_for = clients_for

    def find(self, arn: str) -> Topic | None:
        """See ``opentrail.api.ports.Topics``."""
        _, _, _, region, account, _ = arn.split(":", 5)
        if region not in known_regions():
            return None
        sns = self._clients_for(account, region)("sns")
        with storage_errors(f"look at topic {arn}"):
            gone = _DENIED | {"NotFound", "NotFoundException", "InvalidParameter"}
            facts = _unless(gone, sns.get_topic_attributes, TopicArn=arn).get("Attributes")
        if facts is None:
            return None
        return Topic(policy=_parse(facts.get("Policy", "{}")), key_id=facts.get("KmsMasterKeyId", ""))

    def publish(self, arn: str, message: str) -> None:
        """See ``opentrail.api.ports.Topics``."""
        _, _, _, region, account, _ = arn.split(":", 5)
        with storage_errors(f"publish to {arn}"):
            self._clients_for(account, region)("sns").publish(TopicArn=arn, Message=message)


class CloudWatchLogGroups:
    """Log groups of CloudWatch Logs."""

    def __init__(self, clients_for: ClientsFor) -> None:
        self._clients_for = clients_for

    def exists(self, name: str, account: str, region: str) -> bool:
        """See ``opentrail.api.ports.LogGroups``."""
        if region not in known_regions():
            return False
        logs = self._clients_for(account, region)("logs")
        with storage_errors(f"look for log group {name}"):
            pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
            return any(group["logGroupName"] == name for page in pages for group in page["logGroups"])


class IamRoles:
    """Roles with their trust and permission policies; ``region`` is where IAM is asked."""

    def __init__(self, clients_for: ClientsFor, region: str) -> None:
        self._clients_for = clients_for
        self._region = region

    def find(self, arn: str) -> Role | None:
        """See ``opentrail.api.ports.Roles``."""
        iam = self._clients_for(arn.split(":")[4], self._region)("iam")
        name = arn.rsplit("/", 1)[1]
        with storage_errors(f"look at role {arn}"):
            role = _unless(_DENIED | {"NoSuchEntity"}, iam.get_role, RoleName=name).get("Role")
            if role is None or role["Arn"] != arn:
                return None
            policies = [*_inline(iam, name), *_attached(iam, name)]
        return Role(trust=_parse(role["AssumeRolePolicyDocument"]), policies=policies)


def _inline(iam: Any, role: str) -> Iterator[Policy]:
    for page in iam.get_paginator("list_role_policies").paginate(RoleName=role):
        for name in page["PolicyNames"]:
            yield _parse(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])


def _attached(iam: Any, role: str) -> Iterator[Policy]:
    for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role):
        for attached in page["AttachedPolicies"]:
            arn = attached["PolicyArn"]
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            found = iam.get_policy_version(PolicyArn=arn, VersionId=version)
            yield _parse(found["PolicyVersion"]["Document"])


def _unless(absent: set[str] | frozenset[str], read: Callable[..., Any], **arguments: str) -> dict[str, Any]:
    """The answer, or {} when it is one of the refusals that mean "nothing there for us"."""
    try:
        answer: dict[str, Any] = read(**arguments)
    except ClientError as error:
        if _code(error) in absent:
            return {}
        raise
    return answer


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def _parse(policy: str | Policy) -> Policy:
    """A policy as a mapping; botocore has already read some of them. What is no policy grants nothing."""
    if not isinstance(policy, str):
        return policy
    try:
        document = json.loads(policy)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
