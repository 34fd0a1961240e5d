"""The resource an event is about, where it is not said plainly; and which events are waited for."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.branches.remediation.catalog import built_in
from opentrail.testing.matching import choose

HERE = {"eventTime": "2026-01-10T12:00:00Z", "recipientAccountId": "123456789012", "awsRegion": "us-east-1"}
TOPIC = "arn:aws:sns:us-east-1:123456789012:news"


@pytest.mark.parametrize(
    ("playbook", "asked", "answered", "name"),
    [
        (
            "open-security-group",
            {"groupName": "web"},
            {"securityGroupRuleSet": {"items": [{"groupId": "sg-1"}, {"groupId": "sg-1"}]}},
            "sg-1",
        ),
        ("open-security-group", {"groupName": "web"}, None, None),
        ("open-security-group", {"ModifySecurityGroupRulesRequest": {"GroupId": "sg-2"}}, None, "sg-2"),
        ("public-topic", {"name": "news"}, {"topicArn": TOPIC}, TOPIC),
        ("public-queue", {"queueName": "jobs"}, {"queueUrl": "https://sqs/1/jobs"}, "https://sqs/1/jobs"),
    ],
)
def test_the_resource_is(playbook: str, asked: Any, answered: Any, name: str | None) -> None:
    target = built_in()[playbook].target({**HERE, "requestParameters": asked, "responseElements": answered})

    assert (target.name if target else None) == name


@pytest.mark.parametrize(
    ("playbook", "event", "asked"),
    [
        ("s3-public-acl", "CreateBucket", {"x-amz-acl": "public-read"}),
        ("s3-public-acl", "CreateBucket", {"accessControlList": {"x-amz-grant-read": "uri=..."}}),
        ("s3-public-acl", "PutBucketAcl", {}),
        ("public-topic", "CreateTopic", {"name": "news", "attributes": {"Policy": "{}"}}),
        ("public-topic", "SetTopicAttributes", {"attributeName": "Policy"}),
    ],
)
def test_it_waits_for(playbook: str, event: str, asked: dict[str, Any]) -> None:
    assert choose([record_of(playbook, event, asked)], pattern=built_in()[playbook].pattern)


@pytest.mark.parametrize(
    ("playbook", "event", "asked"),
    [
        ("s3-public-acl", "CreateBucket", {"bucketName": "plain"}),
        ("public-topic", "CreateTopic", {"name": "news"}),
        ("public-topic", "SetTopicAttributes", {"attributeName": "DisplayName"}),
    ],
)
def test_it_does_not_run_for(playbook: str, event: str, asked: dict[str, Any]) -> None:
    assert not choose([record_of(playbook, event, asked)], pattern=built_in()[playbook].pattern)


def record_of(playbook: str, event: str, asked: dict[str, Any]) -> dict[str, Any]:
    source = built_in()[playbook].pattern["detail"]["eventSource"][0]
    return {**HERE, "eventID": "e1", "eventSource": source, "eventName": event, "requestParameters": asked}
