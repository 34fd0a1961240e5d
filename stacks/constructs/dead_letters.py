"""A dead-letter queue that many rules and functions share."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
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
