"""What the playbooks about trails share."""

from __future__ import annotations

from collections.abc import Mapping

from opentrail.branches.remediation.playbook import (
    Answer,
    Cloud,
    Permission,
    Record,
    Target,
    parameters,
    tag_map,
    target_at,
)

TRAILS = "arn:{partition}:cloudtrail:{region}:{account}:trail/*"
GONE = ("TrailNotFoundException",)
READ_TAGS = Permission(actions=("cloudtrail:ListTags",), resources=(TRAILS,), why="any trail")


def trail_of(record: Record) -> Target | None:
    """The trail a call is about."""
    asked = parameters(record)
    name = str(asked.get("name") or asked.get("trailName") or "")
    return target_at(record, name, "AWS::CloudTrail::Trail", "cloudtrail:{region}:{account}:trail/{name}")


def trail_tags(cloud: Cloud, target: Target) -> Mapping[str, str]:
    """The trail's tags."""
    (found,) = cloud("cloudtrail", "list_tags", ResourceIdList=[target.arn])["ResourceTagList"]
    return tag_map(found["TagsList"])


def all_trails(cloud: Cloud) -> list[Answer]:
    """The trails of this account that log here."""
    return list(cloud("cloudtrail", "describe_trails")["trailList"])
