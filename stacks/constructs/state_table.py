"""A DynamoDB table for the pipeline's own state."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.acknowledge import acknowledge


def state_table(scope: Construct, id_: str, *, key: kms.IKey | None, expiry: bool = True) -> dynamodb.Table:
    """Return a table with string keys ``pk`` and ``sk``.

    An item with ``expires`` (epoch seconds) goes then; without ``expiry`` none ever does.

    Without ``key`` DynamoDB encrypts with one of its own.

    Point-in-time recovery, because losing the ledger means losing the proof that no log
    file is missing. The table is kept when its stack goes.
    """
    table = dynamodb.Table(
        scope,
        id_,
        partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
        sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        deletion_protection=True,
        time_to_live_attribute="expires" if expiry else None,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED if key else dynamodb.TableEncryption.DEFAULT,
        encryption_key=key,
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    acknowledge(
        table,
        "NIST.800.53.R5-DynamoDBInBackupPlan",
        "Point-in-time recovery is on, which is a backup of every second of the last 35 days.",
    )
    return table
