"""An AMI is shared with everybody."""

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
from opentrail.errors import StorageError

NOT_FOUND = "InvalidAMIID.NotFound"


def target(record: Record) -> Target | None:
    """The image."""
    name = str(parameters(record).get("imageId") or "")
    return target_at(record, name, "AWS::EC2::Ami", "ec2:{region}::image/{name}")


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Who may start it?"""
    found = cloud("ec2", "describe_images", ImageIds=[target.name])["Images"]
    if not found:
        raise StorageError(f"image {target.name} is not there", NOT_FOUND)
    return Danger(problem="everybody may start the AMI") if found[0]["Public"] else None


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Take the group of all accounts out; single accounts stay."""
    _share(cloud, target, "Remove")


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Share it with everybody again."""
    _share(cloud, target, "Add")


def _share(cloud: Cloud, target: Target, how: str) -> None:
    permission = {how: [EVERYBODY]}
    cloud("ec2", "modify_image_attribute", ImageId=target.name, LaunchPermission=permission)


PLAYBOOK = Playbook(
    id="public-ami",
    title="AMI shared publicly",
    severity="high",
    controls=("NIST 800-53 AC-3", "PCI DSS 4.0 1.4.4"),
    pattern=calls("ec2", "ModifyImageAttribute"),
    reads=(
        Permission(
            actions=("ec2:DescribeImages",), resources=("*",), why="EC2 offers no resource for Describe calls"
        ),
        DESCRIBES,
    ),
    writes=(
        Permission(
            actions=("ec2:ModifyImageAttribute",),
            resources=("arn:{partition}:ec2:{region}::image/*",),
            why="any image",
        ),
    ),
    target=target,
    check=check,
    fix=fix,
    undo=undo,
    tags=resource_tags,
    gone=(NOT_FOUND,),
)
