"""A CloudFormation stack with a rule on CreateBucket and a queue: the use case of getmoto/moto#8451."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conformance.laptop_recording.conftest import Laptop


def template(detail: dict[str, Any]) -> str:
    """A queue, its policy, and a rule on calls with that detail."""
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"eventSource": ["s3.amazonaws.com"], "eventName": ["CreateBucket"], **detail},
    }
    queue = {"Fn::GetAtt": ["Queue", "Arn"]}
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
    }
    resources = {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "QueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [allow]},
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": pattern,
                "State": "ENABLED",
                "Targets": [{"Id": "queue", "Arn": queue}],
            },
        },
    }
    return json.dumps({"Resources": resources, "Outputs": {"Url": {"Value": {"Ref": "Queue"}}}})


def deploy(laptop: Laptop, name: str, detail: dict[str, Any]) -> str:
    """Create the stack and return the queue's URL."""
    cloudformation = laptop.client("cloudformation")
    cloudformation.create_stack(StackName=name, TemplateBody=template(detail))
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    url: str = stack["Outputs"][0]["OutputValue"]
    return url


def received(laptop: Laptop, url: str) -> list[dict[str, Any]]:
    messages = laptop.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in messages.get("Messages", [])]


def test_the_queue_gets_the_event_of_the_new_bucket(laptop: Laptop) -> None:
    url = deploy(laptop, "all-buckets", {})

    laptop.client("s3").create_bucket(Bucket="fresh-bucket")

    (event,) = received(laptop, url)
    assert (event["source"], event["detail-type"]) == ("aws.s3", "AWS API Call via CloudTrail")
    assert event["detail"]["requestParameters"]["bucketName"] == "fresh-bucket"
    assert event["detail"]["eventName"] == "CreateBucket"


@pytest.mark.parametrize("wanted", [["prod-data"], [{"prefix": "prod-"}], [{"wildcard": "*-data"}]])
def test_the_rule_matches_on_the_name_of_the_bucket(laptop: Laptop, wanted: list[Any]) -> None:
    name = f"named-{len(json.dumps(wanted))}"
    url = deploy(laptop, name, {"requestParameters": {"bucketName": wanted}})
    s3 = laptop.client("s3")

    s3.create_bucket(Bucket="test-logs")
    s3.create_bucket(Bucket="prod-data")
    s3.delete_bucket(Bucket="prod-data")

    (event,) = received(laptop, url)
    assert event["detail"]["requestParameters"]["bucketName"] == "prod-data"
    s3.delete_bucket(Bucket="test-logs")
