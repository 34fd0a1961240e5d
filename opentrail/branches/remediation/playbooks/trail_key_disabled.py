"""The key that encrypts a trail's log files is disabled or about to be deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentrail.branches.remediation.playbook import (
    Cloud,
    Danger,
    Permission,
    Playbook,
    Record,
    Target,
    calls,
    parameters,
    target_at,
)
from opentrail.branches.remediation.trails import all_trails

KEYS = "arn:{partition}:kms:{region}:{account}:key/*"
DISABLED, PENDING = "Disabled", "PendingDeletion"
LONGEST_WAIT_DAYS = 30  # ScheduleKeyDeletion, KMS API reference


def target(record: Record) -> Target | None:
    """The key, by id or ARN."""
    name = str(parameters(record).get("keyId") or "")
    return target_at(record, name, "AWS::KMS::Key", "kms:{region}:{account}:key/{name}")


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Look at the key's state, if a trail uses it."""
    key = cloud("kms", "describe_key", KeyId=target.name)["KeyMetadata"]
    used = {trail.get("KmsKeyId", "") for trail in all_trails(cloud)}
    if key["KeyState"] not in (DISABLED, PENDING) or not used & {key["Arn"], key["KeyId"]}:
        return None
    days = int(parameters(target.record).get("pendingWindowInDays") or LONGEST_WAIT_DAYS)
    said = "disabled" if key["KeyState"] == DISABLED else "about to be deleted"
    return Danger(problem=f"a trail's key is {said}", before={"state": key["KeyState"], "days": days})


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Keep it and enable it; a key that was to be deleted is disabled at first."""
    if danger.before["state"] == PENDING:
        cloud("kms", "cancel_key_deletion", KeyId=target.name)
    cloud("kms", "enable_key", KeyId=target.name)


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Disable it again, or have it deleted."""
    if before["state"] == PENDING:
        cloud("kms", "schedule_key_deletion", KeyId=target.name, PendingWindowInDays=before["days"])
    else:
        cloud("kms", "disable_key", KeyId=target.name)


def tags(cloud: Cloud, target: Target) -> Mapping[str, str]:
    """The key's tags."""
    found = cloud("kms", "list_resource_tags", KeyId=target.name)["Tags"]
    return {tag["TagKey"]: tag["TagValue"] for tag in found}


PLAYBOOK = Playbook(
    id="trail-key-disabled",
    title="Trail's KMS key disabled or scheduled for deletion",
    severity="critical",
    controls=("CIS AWS 3.0 3.5", "NIST 800-53 SC-12", "PCI DSS 4.0 3.7.1"),
    pattern=calls("kms", "DisableKey", "ScheduleKeyDeletion"),
    reads=(
        Permission(
            actions=("kms:DescribeKey", "kms:ListResourceTags"),
            resources=(KEYS,),
            why="any key may be a trail's",
        ),
        Permission(
            actions=("cloudtrail:DescribeTrails",),
            resources=("*",),
            why="CloudTrail offers no resource for DescribeTrails",
        ),
    ),
    writes=(
        Permission(
            actions=("kms:CancelKeyDeletion", "kms:DisableKey", "kms:EnableKey", "kms:ScheduleKeyDeletion"),
            resources=(KEYS,),
            why="any key may be a trail's",
        ),
    ),
    target=target,
    check=check,
    fix=fix,
    undo=undo,
    tags=tags,
    gone=("NotFoundException",),
)
