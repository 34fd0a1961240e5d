"""An SNS topic's policy lets everybody in."""

from __future__ import annotations

import json
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
    partition_of,
    tag_map,
    target_at,
)
from opentrail.branches.remediation.policies import name_statements, open_statements, without_open

TOPICS = "arn:{partition}:sns:{region}:{account}:*"


def target(record: Record) -> Target | None:
    """The topic; a new one's ARN is in the answer."""
    arn = parameters(record).get("topicArn") or (record.get("responseElements") or {}).get("topicArn")
    return target_at(record, str(arn or ""), "AWS::SNS::Topic", "{name}")


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Look for statements that everybody matches."""
    policy = cloud("sns", "get_topic_attributes", TopicArn=target.name)["Attributes"].get("Policy", "")
    found = open_statements(policy)
    if not found:
        return None
    return Danger(
        problem=f"the topic's policy lets everybody in: {name_statements(found)}", before={"policy": policy}
    )


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Take these statements out; SNS wants at least one, so the owner's stays when none is left."""
    _put(cloud, target, without_open(danger.before["policy"]) or _owners(target))


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Put the whole policy back."""
    _put(cloud, target, before["policy"])


def _put(cloud: Cloud, target: Target, policy: str) -> None:
    cloud("sns", "set_topic_attributes", TopicArn=target.name, AttributeName="Policy", AttributeValue=policy)


def _owners(target: Target) -> str:
    root = f"arn:{partition_of(target.region)}:iam::{target.account}:root"
    statement = {
        "Sid": "Owner",
        "Effect": "Allow",
        "Principal": {"AWS": root},
        "Action": ["SNS:Publish", "SNS:Subscribe"],
        "Resource": target.arn,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def tags(cloud: Cloud, target: Target) -> Mapping[str, str]:
    """The topic's tags."""
    return tag_map(cloud("sns", "list_tags_for_resource", ResourceArn=target.arn)["Tags"])


PLAYBOOK = Playbook(
    id="public-topic",
    title="SNS topic opened to everybody",
    severity="high",
    controls=("NIST 800-53 AC-3", "PCI DSS 4.0 1.4.4"),
    pattern=calls(
        "sns",
        "SetTopicAttributes",
        "CreateTopic",
        detail={
            "$or": [
                {"requestParameters": {"attributeName": ["Policy"]}},
                {"requestParameters": {"attributes": {"Policy": [{"exists": True}]}}},
            ]
        },
    ),
    reads=(
        Permission(
            actions=("sns:GetTopicAttributes", "sns:ListTagsForResource"),
            resources=(TOPICS,),
            why="any topic",
        ),
    ),
    writes=(Permission(actions=("sns:SetTopicAttributes",), resources=(TOPICS,), why="any topic"),),
    target=target,
    check=check,
    fix=fix,
    undo=undo,
    tags=tags,
    gone=("NotFound", "NotFoundException"),
)
