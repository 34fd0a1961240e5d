"""A snapshot of a database, or of a cluster, is shared with everybody."""

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
    tag_map,
    target_at,
)

CLUSTER = "AWS::RDS::DBClusterSnapshot"
EVERYBODY = "all"
SNAPSHOTS = "arn:{partition}:rds:{region}:{account}:snapshot:*"
CLUSTER_SNAPSHOTS = "arn:{partition}:rds:{region}:{account}:cluster-snapshot:*"
WHY = "any snapshot"


def target(record: Record) -> Target | None:
    """The snapshot."""
    asked = parameters(record)
    cluster = str(asked.get("dBClusterSnapshotIdentifier") or "")
    if cluster:
        return target_at(record, cluster, CLUSTER, "rds:{region}:{account}:cluster-snapshot:{name}")
    name = str(asked.get("dBSnapshotIdentifier") or "")
    return target_at(record, name, "AWS::RDS::DBSnapshot", "rds:{region}:{account}:snapshot:{name}")


def _shared_with(cloud: Cloud, target: Target) -> set[str]:
    if target.type == CLUSTER:
        answer = cloud(
            "rds", "describe_db_cluster_snapshot_attributes", DBClusterSnapshotIdentifier=target.name
        )
        attributes = answer["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
    else:
        answer = cloud("rds", "describe_db_snapshot_attributes", DBSnapshotIdentifier=target.name)
        attributes = answer["DBSnapshotAttributesResult"]["DBSnapshotAttributes"]
    return {value for a in attributes if a["AttributeName"] == "restore" for value in a["AttributeValues"]}


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Who may restore it?"""
    if EVERYBODY not in _shared_with(cloud, target):
        return None
    return Danger(problem="everybody may restore the snapshot")


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Take "all" out; single accounts stay."""
    _share(cloud, target, ValuesToRemove=[EVERYBODY])


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Share it with everybody again."""
    _share(cloud, target, ValuesToAdd=[EVERYBODY])


def _share(cloud: Cloud, target: Target, **values: list[str]) -> None:
    if target.type == CLUSTER:
        cloud(
            "rds",
            "modify_db_cluster_snapshot_attribute",
            DBClusterSnapshotIdentifier=target.name,
            AttributeName="restore",
            **values,
        )
    else:
        cloud(
            "rds",
            "modify_db_snapshot_attribute",
            DBSnapshotIdentifier=target.name,
            AttributeName="restore",
            **values,
        )


def tags(cloud: Cloud, target: Target) -> Mapping[str, str]:
    """The snapshot's tags."""
    return tag_map(cloud("rds", "list_tags_for_resource", ResourceName=target.arn)["TagList"])


PLAYBOOK = Playbook(
    id="public-rds-snapshot",
    title="RDS snapshot shared publicly",
    severity="critical",
    controls=("NIST 800-53 AC-3", "PCI DSS 4.0 1.4.4"),
    pattern=calls("rds", "ModifyDBSnapshotAttribute", "ModifyDBClusterSnapshotAttribute"),
    reads=(
        Permission(actions=("rds:DescribeDBSnapshotAttributes",), resources=(SNAPSHOTS,), why=WHY),
        Permission(
            actions=("rds:DescribeDBClusterSnapshotAttributes",), resources=(CLUSTER_SNAPSHOTS,), why=WHY
        ),
        Permission(actions=("rds:ListTagsForResource",), resources=(SNAPSHOTS, CLUSTER_SNAPSHOTS), why=WHY),
    ),
    writes=(
        Permission(actions=("rds:ModifyDBSnapshotAttribute",), resources=(SNAPSHOTS,), why=WHY),
        Permission(
            actions=("rds:ModifyDBClusterSnapshotAttribute",), resources=(CLUSTER_SNAPSHOTS,), why=WHY
        ),
    ),
    target=target,
    check=check,
    fix=fix,
    undo=undo,
    tags=tags,
    gone=("DBSnapshotNotFound", "DBClusterSnapshotNotFoundFault"),
)
