"""GuardDuty's detector is suspended or deleted."""

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

DETECTORS = "arn:{partition}:guardduty:{region}:{account}:detector/*"


def target(record: Record) -> Target | None:
    """The detector."""
    name = str(parameters(record).get("detectorId") or "")
    return target_at(record, name, "AWS::GuardDuty::Detector", "guardduty:{region}:{account}:detector/{name}")


def _ids(cloud: Cloud) -> list[str]:
    return list(cloud("guardduty", "list_detectors")["DetectorIds"])


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Is the detector there and at work? A Region has one; if another took its place, that counts."""
    ids = _ids(cloud)
    if not ids:
        return Danger(problem="GuardDuty has no detector here", before={"deleted": True})
    if target.name not in ids:
        return None
    if cloud("guardduty", "get_detector", DetectorId=target.name)["Status"] == "ENABLED":
        return None
    return Danger(problem="GuardDuty's detector is suspended", before={"deleted": False})


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Let it work again, or make a new one; its findings of before are lost."""
    if danger.before["deleted"]:
        cloud("guardduty", "create_detector", Enable=True)
    else:
        cloud("guardduty", "update_detector", DetectorId=target.name, Enable=True)


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Suspend or delete it again."""
    if before["deleted"]:
        for detector in _ids(cloud):
            cloud("guardduty", "delete_detector", DetectorId=detector)
    else:
        cloud("guardduty", "update_detector", DetectorId=target.name, Enable=False)


def tags(cloud: Cloud, target: Target) -> Mapping[str, str]:
    """The detector's tags; a deleted one has none."""
    if target.name not in _ids(cloud):
        return {}
    return tag_map(cloud("guardduty", "get_detector", DetectorId=target.name).get("Tags"))


PLAYBOOK = Playbook(
    id="guardduty-stopped",
    title="GuardDuty suspended or deleted",
    severity="high",
    controls=("NIST 800-53 SI-4", "PCI DSS 4.0 11.5.1"),
    pattern=calls("guardduty", "UpdateDetector", "DeleteDetector"),
    reads=(
        Permission(actions=("guardduty:GetDetector",), resources=(DETECTORS,), why="any detector"),
        Permission(
            actions=("guardduty:ListDetectors",), resources=("*",), why="GuardDuty offers no resource for it"
        ),
    ),
    writes=(
        Permission(
            actions=("guardduty:DeleteDetector", "guardduty:UpdateDetector"),
            resources=(DETECTORS,),
            why="any detector",
        ),
        Permission(
            actions=("guardduty:CreateDetector",), resources=("*",), why="GuardDuty offers no resource for it"
        ),
        Permission(
            actions=("iam:CreateServiceLinkedRole",),
            resources=(
                "arn:{partition}:iam::{account}:role/aws-service-role/guardduty.amazonaws.com/"
                "AWSServiceRoleForAmazonGuardDuty",
            ),
            why="one role",
        ),
    ),
    target=target,
    check=check,
    fix=fix,
    undo=undo,
    tags=tags,
)
