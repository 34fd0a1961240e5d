"""A dead-letter queue that many rules and functions share."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.acknowledge import acknowledge
from stacks.constructs.work_queue import encrypted_queue


def dead_letters(scope: Construct, id_: str, *, key: kms.IKey | None) -> sqs.Queue:
    """Return a queue for events that rules of this account could not deliver, or functions gave up on."""
    queue = encrypted_queue(scope, id_, key=key)
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            sid="AllowOwnRulesToSend",
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
        )
    )
    acknowledge(queue, "AwsSolutions-SQS3", "It is a dead-letter queue itself, of rules and functions.")
    return queue


@jsii.implements(lambda_.IDestination)
class GiveUp:
    """Lambda sends there, as the function's role, what the function failed on for good.

    It grants nothing: CDK's own destination also lets the role read the queue's attributes. The
    role needs ``sqs:SendMessage`` and the use of the queue's key (Lambda developer guide, "Capturing
    records of Lambda asynchronous invocations").
    """

    def __init__(self, queue: sqs.IQueue) -> None:
        self._queue = queue

    def bind(self, *_: Any, **__: Any) -> lambda_.DestinationConfig:
        """Answer CDK which queue it is."""
        return lambda_.DestinationConfig(destination=self._queue.queue_arn)
