"""The topic that hears of alarms, with the address it tells."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.acknowledge import acknowledge


def alarm_topic(scope: Construct, id_: str, *, email: str, key: kms.IKey | None) -> sns.Topic:
    """Return a topic that mails to ``email``, once its owner has confirmed; kept when its stack goes.

    Encrypted with ``key``, whose policy must let CloudWatch use it, or not at all: alarms cannot use
    the key AWS manages for SNS (CloudWatch user guide, "Using Amazon CloudWatch alarms").
    """
    topic = sns.Topic(scope, id_, master_key=key, enforce_ssl=True)
    topic.add_subscription(subscriptions.EmailSubscription(email))
    topic.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    if key is None:
        acknowledge(
            topic,
            ("AwsSolutions-SNS2", "NIST.800.53.R5-SNSEncryptedKMS"),
            "kmsEncryption is off, and alarms cannot use the key AWS manages. They hold no records.",
        )
    return topic
