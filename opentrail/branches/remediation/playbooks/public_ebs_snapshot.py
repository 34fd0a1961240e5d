"""An EBS snapshot is shared with everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentrail.branches.remediation.ec2 import DESCRIBES, EVERYBODY, resource_tags
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

ATTRIBUTE = "createVolumePermission"


def target(record: Record) -> Target | None:
    """The snapshot."""
    name = str(parameters(record).get("snapshotId") or "")
    return target_at(record, name, "AWS::EC2::Snapshot", "ec2:{region}::snapshot/{name}")


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Who may make volumes of it?"""
    answer = cloud("ec2", "describe_snapshot_attribute", SnapshotId=target.name, Attribute=ATTRIBUTE)
    if EVERYBODY not in answer["CreateVolumePermissions"]:
        return None
    return Danger(problem="everybody may make volumes of the snapshot")


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Take the group of all accounts out; single accounts stay."""
    _share(cloud, target, "remove")


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Share it with everybody again."""
    _share(cloud, target, "add")


def _share(cloud: Cloud, target: Target, operation: str) -> None:
    cloud(
        "ec2",
        "modify_snapshot_attribute",
        SnapshotId=target.name,
        Attribute=ATTRIBUTE,
        OperationType=operation,
        GroupNames=[EVERYBODY["Group"]],
    )


PLAYBOOK = Playbook(
    id="public-ebs-snapshot",
    title="EBS snapshot shared publicly",
    severity="critical",
    controls=("NIST 800-53 AC-3", "PCI DSS 4.0 1.4.4"),
    pattern=calls("ec2", "ModifySnapshotAttribute"),
    reads=(
        Permission(
            actions=("ec2:DescribeSnapshotAttribute",),
            resources=("arn:{partition}:ec2:{region}::snapshot/*",),
            why="any snapshot",
        ),
        DESCRIBES,
    ),
    writes=(
        Permission(
            actions=("ec2:ModifySnapshotAttribute",),
            resources=("arn:{partition}:ec2:{region}::snapshot/*",),
            why="any snapshot",
        ),
    ),
    target=target,
    check=check,
    fix=fix,
    undo=undo,
    tags=resource_tags,
    gone=("InvalidSnapshot.NotFound",),
)
