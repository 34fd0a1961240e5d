"""New volumes are not encrypted by default any more."""

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
    target_at,
)

WHY = "it is the account's, EC2 offers no resource"


def target(record: Record) -> Target | None:
    """The Region of the account."""
    name = str(record.get("awsRegion") or "")
    return target_at(
        record, name, "AWS::EC2::EncryptionByDefault", "ec2:{region}:{account}:ebs-encryption-by-default"
    )


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Is it on?"""
    if cloud("ec2", "get_ebs_encryption_by_default")["EbsEncryptionByDefault"]:
        return None
    return Danger(problem="new EBS volumes are not encrypted by default")


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Switch it on."""
    cloud("ec2", "enable_ebs_encryption_by_default")


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Switch it off."""
    cloud("ec2", "disable_ebs_encryption_by_default")


PLAYBOOK = Playbook(
    id="ebs-encryption",
    title="EBS encryption by default turned off",
    severity="medium",
    controls=("CIS AWS 3.0 2.2.1", "NIST 800-53 SC-28", "PCI DSS 4.0 3.5.1"),
    pattern=calls("ec2", "DisableEbsEncryptionByDefault"),
    reads=(Permission(actions=("ec2:GetEbsEncryptionByDefault",), resources=("*",), why=WHY),),
    writes=(
        Permission(
            actions=("ec2:DisableEbsEncryptionByDefault", "ec2:EnableEbsEncryptionByDefault"),
            resources=("*",),
            why=WHY,
        ),
    ),
    target=target,
    check=check,
    fix=fix,
    undo=undo,
)
