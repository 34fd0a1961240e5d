"""An SQS queue's policy lets everybody in."""

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
from opentrail.branches.remediation.policies import name_statements, open_statements, without_open

QUEUES = "arn:{partition}:sqs:{region}:{account}:*"


def target(record: Record) -> Target | None:
    """The queue, by its URL; a new one's is in the answer."""
    url = parameters(record).get("queueUrl") or (record.get("responseElements") or {}).get("queueUrl")
    name = str(url or "")
    resource = "sqs:{region}:{account}:" + name.rpartition("/")[2]
    return target_at(record, name, "AWS::SQS::Queue", resource)


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Look for statements that everybody matches."""
    answer = cloud("sqs", "get_queue_attributes", QueueUrl=target.name, AttributeNames=["Policy"])
    policy = answer.get("Attributes", {}).get("Policy", "")
    found = open_statements(policy)
    if not found:
        return None
    return Danger(
        problem=f"the queue's policy lets everybody in: {name_statements(found)}", before={"policy": policy}
    )


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Take these statements out; an empty policy removes it."""
    _put(cloud, target, without_open(danger.before["policy"]))


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Put the whole policy back."""
    _put(cloud, target, before["policy"])


def _put(cloud: Cloud, target: Target, policy: str) -> None:
    cloud("sqs", "set_queue_attributes", QueueUrl=target.name, Attributes={"Policy": policy})


def tags(cloud: Cloud, target: Target) -> Mapping[str, str]:
    """The queue's tags."""
    return tag_map(cloud("sqs", "list_queue_tags", QueueUrl=target.name).get("Tags"))


PLAYBOOK = Playbook(
    id="public-queue",
    title="SQS queue opened to everybody",
    severity="high",
    controls=("NIST 800-53 AC-3", "PCI DSS 4.0 1.4.4"),
    pattern=calls(
        "sqs",
        "SetQueueAttributes",
        "CreateQueue",
        detail={"requestParameters": {"attributes": {"Policy": [{"exists": True}]}}},
    ),
    reads=(
        Permission(
            actions=("sqs:GetQueueAttributes", "sqs:ListQueueTags"), resources=(QUEUES,), why="any queue"
        ),
    ),
    writes=(Permission(actions=("sqs:SetQueueAttributes",), resources=(QUEUES,), why="any queue"),),
    target=target,
    check=check,
    fix=fix,
    undo=undo,
    tags=tags,
    gone=("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"),
)
