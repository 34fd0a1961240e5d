"""A trail stops logging."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentrail.branches.remediation.playbook import Cloud, Danger, Permission, Playbook, Target, calls
from opentrail.branches.remediation.trails import GONE, READ_TAGS, TRAILS, trail_of, trail_tags


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Does it log?"""
    if cloud("cloudtrail", "get_trail_status", Name=target.name)["IsLogging"]:
        return None
    return Danger(problem="the trail does not log")


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Start it."""
    cloud("cloudtrail", "start_logging", Name=target.name)


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Stop it."""
    cloud("cloudtrail", "stop_logging", Name=target.name)


PLAYBOOK = Playbook(
    id="trail-stopped",
    title="Trail stopped",
    severity="critical",
    controls=("CIS AWS 3.0 3.1", "NIST 800-53 AU-12", "PCI DSS 4.0 10.2.1"),
    pattern=calls("cloudtrail", "StopLogging"),
    reads=(
        Permission(actions=("cloudtrail:GetTrailStatus",), resources=(TRAILS,), why="any trail"),
        READ_TAGS,
    ),
    writes=(
        Permission(
            actions=("cloudtrail:StartLogging", "cloudtrail:StopLogging"),
            resources=(TRAILS,),
            why="any trail",
        ),
    ),
    target=trail_of,
    check=check,
    fix=fix,
    undo=undo,
    tags=trail_tags,
    gone=GONE,
)
