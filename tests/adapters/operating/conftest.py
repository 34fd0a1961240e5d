"""A deployment of which only the queues and their outputs are there, in moto."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from opentrail.adapters.aws.clients import client

NAMES = ("Intake", "IntakeDeadLetter", "Delivery", "DeliveryDeadLetter")


@pytest.fixture
def queues() -> Iterator[dict[str, str]]:
    """The URL of each queue by its name."""
    with mock_aws():
        client.cache_clear()
        template = {
            "Resources": {name: {"Type": "AWS::SQS::Queue"} for name in NAMES},
            "Outputs": {f"{name}QueueUrl": {"Value": {"Ref": name}} for name in NAMES},
        }
        client("cloudformation").create_stack(
            StackName="OpenTrailPipeline", TemplateBody=json.dumps(template)
        )
        stack = client("cloudformation").describe_stacks(StackName="OpenTrailPipeline")["Stacks"][0]
        outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
        yield {name: outputs[f"{name}QueueUrl"] for name in NAMES}
        client.cache_clear()


def give_up(queues: dict[str, str], body: str, reason: str = "", queue: str = "Intake") -> None:
    """Put a message into a dead-letter queue, as the record function or SQS does."""
    attributes: Any = {"reason": {"DataType": "String", "StringValue": reason}} if reason else {}
    client("sqs").send_message(
        QueueUrl=queues[f"{queue}DeadLetter"], MessageBody=body, MessageAttributes=attributes
    )


def bodies(url: str) -> list[str]:
    """What lies in a queue."""
    found = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return sorted(message["Body"] for message in found.get("Messages", []))
