"""What the playbooks about EC2 share."""

from __future__ import annotations

from collections.abc import Mapping

from opentrail.branches.remediation.playbook import Cloud, Permission, Target, tag_map

EVERYBODY = {"Group": "all"}
DESCRIBES = Permission(
    actions=("ec2:DescribeTags",), resources=("*",), why="EC2 offers no resource for Describe calls"
)


def resource_tags(cloud: Cloud, target: Target) -> Mapping[str, str]:
    """The tags of a resource with that id."""
    wanted = [{"Name": "resource-id", "Values": [target.name]}]
    return tag_map(cloud("ec2", "describe_tags", Filters=wanted)["Tags"])
