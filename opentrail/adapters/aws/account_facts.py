"""One account's trails and what they deliver to -> the facts the doctor judges.

Reads only, through ``clients(service, region)``; what may not be read becomes ``Unread`` with its reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from opentrail.adapters.aws.failure import storage_errors
from opentrail.branches.doctor import (
    AccountFacts,
    BucketFacts,
    GroupFacts,
    KeyFacts,
    TrailFacts,
    Unread,
)

Clients = Callable[[str, str], Any]
T = TypeVar("T")
_ABSENT = frozenset(
    {
        "AWSOrganizationsNotInUseException",
        "InsightNotEnabledException",
        "NoSuchBucketPolicy",
        "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "ObjectLockConfigurationNotFoundError",
        "UnsupportedOperationException",
    }
)
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def read_account(clients: Clients, *, account: str, region: str, now: datetime) -> AccountFacts:
    """Look at all trails that the account sees in ``region``.

    Raises:
        StorageError: the trails themselves could not be read.
    """
    with storage_errors("look at the trails"):
        described = clients("cloudtrail", region).describe_trails()["trailList"]
        trails = tuple(_read_trail(clients, trail) for trail in described)
    organization = _try(lambda: _organization(clients, region))
    found = organization if isinstance(organization, Mapping) else {}
    return AccountFacts(
        account=account,
        region=region,
        now=now,
        trails=trails,
        organization=organization if isinstance(organization, Unread) else found.get("Id", ""),
        manages_organization=found.get("MasterAccountId") == account,
    )


def _read_trail(clients: Clients, trail: Mapping[str, Any]) -> TrailFacts:
    arn, home = trail["TrailARN"], trail["HomeRegion"]
    cloudtrail = clients("cloudtrail", home)
    selectors = cloudtrail.get_event_selectors(TrailName=arn)
    status = cloudtrail.get_trail_status(Name=arn)
    insights = _or_absent(cloudtrail.get_insight_selectors, TrailName=arn).get("InsightSelectors", [])
    key, group = trail.get("KmsKeyId", ""), trail.get("CloudWatchLogsLogGroupArn", "")
    return TrailFacts(
        arn=arn,
        name=trail["Name"],
        home_region=home,
        bucket_name=trail["S3BucketName"],
        prefix=trail.get("S3KeyPrefix", ""),
        multi_region=trail["IsMultiRegionTrail"],
        global_events=trail["IncludeGlobalServiceEvents"],
        validates=trail.get("LogFileValidationEnabled", False),
        of_organization=trail.get("IsOrganizationTrail", False),
        topic_arn=trail.get("SnsTopicARN", ""),
        key_arn=key,
        group_arn=group,
        logging=status["IsLogging"],
        status=status,
        selectors=tuple(selectors.get("EventSelectors", [])),
        advanced=tuple(selectors.get("AdvancedEventSelectors", [])),
        insight_types=tuple(selector["InsightType"] for selector in insights),
        bucket=_try(lambda: _read_bucket(clients, trail["S3BucketName"], home)),
        key=_try(lambda: _read_key(clients, key)) if key else None,
        group=_try(lambda: _read_group(clients, group)) if group else None,
    )


def _read_bucket(clients: Clients, name: str, home: str) -> BucketFacts:
    found = clients("s3", home).get_bucket_location(Bucket=name)
    region = found.get("LocationConstraint") or "us-east-1"
    s3 = clients("s3", region)
    policy = _or_absent(s3.get_bucket_policy, Bucket=name).get("Policy", "{}")
    versioning = s3.get_bucket_versioning(Bucket=name)
    blocks = _or_absent(s3.get_public_access_block, Bucket=name).get("PublicAccessBlockConfiguration", {})
    lock = _or_absent(s3.get_object_lock_configuration, Bucket=name).get("ObjectLockConfiguration", {})
    retention = lock.get("Rule", {}).get("DefaultRetention", {})
    logging = s3.get_bucket_logging(Bucket=name).get("LoggingEnabled", {})
    return BucketFacts(
        name=name,
        region=region,
        policy=json.loads(policy),
        blocks_public=all(blocks.get(block, False) for block in _BLOCKS),
        versioned=versioning.get("Status") == "Enabled",
        mfa_delete=versioning.get("MFADelete") == "Enabled",
        logs_access_to=logging.get("TargetBucket", ""),
        lock_days=retention.get("Days", 0) + 365 * retention.get("Years", 0),
        lifecycle=tuple(_or_absent(s3.get_bucket_lifecycle_configuration, Bucket=name).get("Rules", [])),
    )


def _read_key(clients: Clients, arn: str) -> KeyFacts:
    kms = clients("kms", arn.split(":")[3])
    facts = kms.describe_key(KeyId=arn)["KeyMetadata"]
    rotation = kms.get_key_rotation_status(KeyId=arn) if facts["KeyState"] == "Enabled" else {}
    return KeyFacts(arn=arn, state=facts["KeyState"], rotates=rotation.get("KeyRotationEnabled", False))


def _read_group(clients: Clients, arn: str) -> GroupFacts:
    _, _, _, region, _, _, name, *_ = arn.split(":")
    logs = clients("logs", region)
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    group = next(g for page in pages for g in page["logGroups"] if g["logGroupName"] == name)
    filters = [
        found
        for page in logs.get_paginator("describe_metric_filters").paginate(logGroupName=name)
        for found in page["metricFilters"]
    ]
    alarmed = _alarmed_metrics(clients("cloudwatch", region)) if filters else frozenset()
    return GroupFacts(
        name=name,
        retention_days=group.get("retentionInDays", 0),
        metric_filters=len(filters),
        alarmed_filters=sum(1 for found in filters if _metrics_of(found) & alarmed),
    )


def _alarmed_metrics(cloudwatch: Any) -> frozenset[tuple[str, str]]:
    pages = cloudwatch.get_paginator("describe_alarms").paginate()
    alarms = [alarm for page in pages for alarm in page.get("MetricAlarms", [])]
    return frozenset((alarm.get("Namespace", ""), alarm.get("MetricName", "")) for alarm in alarms)


def _metrics_of(metric_filter: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(t["metricNamespace"], t["metricName"]) for t in metric_filter["metricTransformations"]}


def _organization(clients: Clients, region: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _or_absent(clients("organizations", region).describe_organization)
    organization: Mapping[str, Any] = found.get("Organization", {})
    return organization


def _or_absent(call: Callable[..., Any], **parameters: Any) -> dict[str, Any]:
    """An answer; an empty one where AWS says that the thing is not there."""
    try:
        answer: dict[str, Any] = call(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _ABSENT:
            raise
        return {}
    return answer


def _try(read: Callable[[], T]) -> T | Unread:
    try:
        return read()
    except (BotoCoreError, ClientError, StopIteration) as error:
        return Unread(str(error) or "not there any more")
