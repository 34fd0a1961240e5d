"""A queue between two stages, with the queue for what cannot be processed."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

RETENTION = cdk.Duration.days(14)  # the longest SQS offers
MAX_MESSAGE_BYTES = 1_048_576  # the largest SQS takes; said here, for its default was once a quarter of it


class WorkQueue(Construct):
    """``queue``, whose messages go to ``dead_letters`` after ``max_receives`` failed attempts.

    With ``delay``, each is seen only after it.

    A message's age counts from its first sending, also in the dead-letter queue: the
    attempts must end well before 14 days, or nobody has time to redrive.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        key: kms.IKey | None,
        visibility: cdk.Duration,
        max_receives: int,
        delay: cdk.Duration | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self.dead_letters = encrypted_queue(self, "DeadLetters", key=key)
        self.queue = encrypted_queue(
            self,
            "Queue",
            key=key,
            visibility_timeout=visibility,
            delivery_delay=delay,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=max_receives),
        )


def encrypted_queue(
    scope: Construct,
    id_: str,
    *,
    key: kms.IKey | None,
    visibility_timeout: cdk.Duration | None = None,
    delivery_delay: cdk.Duration | None = None,
    dead_letter_queue: sqs.DeadLetterQueue | None = None,
) -> sqs.Queue:
    """Return a queue with the defaults of all of ours: encrypted, TLS only, kept as long as SQS offers."""
    return sqs.Queue(
        scope,
        id_,
        encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
        encryption_master_key=key,
        # One KMS call an hour instead of every five minutes; the key is this account's own.
        data_key_reuse=cdk.Duration.hours(1) if key else None,
        enforce_ssl=True,
        retention_period=RETENTION,
        max_message_size_bytes=MAX_MESSAGE_BYTES,
        visibility_timeout=visibility_timeout,
        delivery_delay=delivery_delay,
        dead_letter_queue=dead_letter_queue,
    )


def allow_rules(queue: sqs.Queue, rule_arns: Sequence[str]) -> None:
    """Let these EventBridge rules, and no others, send to ``queue``."""
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            sid="AllowRulesToSend",
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={"ArnEquals": {"aws:SourceArn": list(rule_arns)}},
        )
    )
