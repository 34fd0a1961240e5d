"""The bucket of a trail refuses log files, forgets versions, or deletes log files soon."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from opentrail.branches.remediation.playbook import (
    Cloud,
    Danger,
    Permission,
    Playbook,
    Target,
    calls,
    partition_of,
)
from opentrail.branches.remediation.policies import read_policy
from opentrail.branches.remediation.s3 import BUCKETS, GONE, bucket_of, bucket_policy, bucket_tags, put_policy
from opentrail.branches.remediation.trails import all_trails
from opentrail.errors import StorageError
from opentrail.format.iam_document import as_list, statements

CLOUDTRAIL = "cloudtrail.amazonaws.com"
MIN_DAYS = 90  # CIS and PCI ask for a year; less than event history's 90 days serves nobody


def _lets_in(statement: Mapping[str, Any]) -> bool:
    return statement.get("Effect") == "Allow" and _is_about_writing(statement)


def _keeps_out(statement: Mapping[str, Any]) -> bool:
    """Only a denial without a condition is sure to be one of CloudTrail."""
    is_denial = statement.get("Effect") == "Deny" and not statement.get("Condition")
    return is_denial and _is_about_writing(statement)


def _is_about_writing(statement: Mapping[str, Any]) -> bool:
    """Is it about CloudTrail, or everybody, who puts an object?"""
    principal = statement.get("Principal")
    everybody = principal == "*" or (isinstance(principal, Mapping) and "*" in as_list(principal.get("AWS")))
    services = as_list(principal.get("Service")) if isinstance(principal, Mapping) else []
    actions = [str(action).lower() for action in as_list(statement.get("Action"))]
    writes = any(fnmatchcase("s3:putobject", action) for action in actions)
    return writes and (everybody or CLOUDTRAIL in services)


def _lets_cloudtrail_write(policy: str) -> bool:
    found = statements(read_policy(policy))
    return any(map(_lets_in, found)) and not any(map(_keeps_out, found))


def _rules(cloud: Cloud, bucket: str) -> list[dict[str, Any]]:
    try:
        return list(cloud("s3", "get_bucket_lifecycle_configuration", Bucket=bucket)["Rules"])
    except StorageError as error:
        if error.code == "NoSuchLifecycleConfiguration":
            return []
        raise


def _deletes_soon(rule: Mapping[str, Any]) -> bool:
    """By an age, or from a date on, whatever their age."""
    expiration = rule.get("Expiration") or {}
    days = expiration.get("Days")
    is_soon = "Date" in expiration or (days is not None and int(days) < MIN_DAYS)
    return rule.get("Status") == "Enabled" and is_soon


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Look at policy, versioning and lifecycle, if a trail delivers there."""
    if target.name not in {trail.get("S3BucketName") for trail in all_trails(cloud)}:
        return None
    policy = bucket_policy(cloud, target.name)
    versioning = cloud("s3", "get_bucket_versioning", Bucket=target.name).get("Status", "")
    rules = _rules(cloud, target.name)
    found = [
        *(() if _lets_cloudtrail_write(policy) else ("its policy keeps CloudTrail out",)),
        *(("its versioning is suspended",) if versioning == "Suspended" else ()),
        *((f"it deletes log files before {MIN_DAYS} days",) if any(map(_deletes_soon, rules)) else ()),
    ]
    if not found:
        return None
    before = {"policy": policy, "versioning": versioning, "rules": json.loads(json.dumps(rules, default=str))}
    return Danger(problem=f"the bucket of a trail: {' and '.join(found)}", before=before)


def _for_cloudtrail(target: Target) -> list[dict[str, Any]]:
    """CloudTrail user guide, "Amazon S3 bucket policy for CloudTrail"."""
    arn = f"arn:{partition_of(target.region)}:s3:::{target.name}"
    who = {"Effect": "Allow", "Principal": {"Service": CLOUDTRAIL}}
    own = {"aws:SourceAccount": target.account}
    return [
        {**who, "Action": "s3:GetBucketAcl", "Resource": arn, "Condition": {"StringEquals": own}},
        {
            **who,
            "Action": "s3:PutObject",
            "Resource": f"{arn}/*",
            "Condition": {"StringEquals": {**own, "s3:x-amz-acl": "bucket-owner-full-control"}},
        },
    ]


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Let CloudTrail in beside the others, keep versions, drop the rules that delete soon."""
    policy, rules = danger.before["policy"], danger.before["rules"]
    if not _lets_cloudtrail_write(policy):
        document = read_policy(policy) or {"Version": "2012-10-17"}
        kept = [statement for statement in statements(document) if not _keeps_out(statement)]
        both = [*kept, *(() if any(map(_lets_in, kept)) else _for_cloudtrail(target))]
        put_policy(cloud, target.name, json.dumps({**document, "Statement": both}))
    if danger.before["versioning"] == "Suspended":
        _set_versioning(cloud, target, "Enabled")
    lasting = [rule for rule in rules if not _deletes_soon(rule)]
    if len(lasting) < len(rules):
        _set_rules(cloud, target, lasting)


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Put back all three."""
    put_policy(cloud, target.name, before["policy"])
    if before["versioning"] == "Suspended":
        _set_versioning(cloud, target, "Suspended")
    _set_rules(cloud, target, before["rules"])


def _set_versioning(cloud: Cloud, target: Target, status: str) -> None:
    cloud("s3", "put_bucket_versioning", Bucket=target.name, VersioningConfiguration={"Status": status})


def _set_rules(cloud: Cloud, target: Target, rules: list[dict[str, Any]]) -> None:
    if rules:
        configuration = {"Rules": rules}
        cloud(
            "s3",
            "put_bucket_lifecycle_configuration",
            Bucket=target.name,
            LifecycleConfiguration=configuration,
        )
    else:
        cloud("s3", "delete_bucket_lifecycle", Bucket=target.name)


PLAYBOOK = Playbook(
    id="log-bucket-weakened",
    title="Log bucket's policy, versioning or lifecycle weakened",
    severity="high",
    controls=("CIS AWS 3.0 3.4", "NIST 800-53 AU-9", "PCI DSS 4.0 10.5.1"),
    pattern=calls("s3", "PutBucketPolicy", "DeleteBucketPolicy", "PutBucketVersioning", "PutBucketLifecycle"),
    reads=(
        Permission(
            actions=(
                "s3:GetBucketPolicy",
                "s3:GetBucketTagging",
                "s3:GetBucketVersioning",
                "s3:GetLifecycleConfiguration",
            ),
            resources=(BUCKETS,),
            why="any bucket may be a trail's",
        ),
        Permission(
            actions=("cloudtrail:DescribeTrails",),
            resources=("*",),
            why="CloudTrail offers no resource for DescribeTrails",
        ),
    ),
    writes=(
        Permission(
            actions=(
                "s3:DeleteBucketPolicy",
                "s3:PutBucketPolicy",
                "s3:PutBucketVersioning",
                "s3:PutLifecycleConfiguration",
            ),
            resources=(BUCKETS,),
            why="any bucket may be a trail's",
        ),
    ),
    target=bucket_of,
    check=check,
    fix=fix,
    undo=undo,
    tags=bucket_tags,
    gone=GONE,
)
