"""The table that holds the heads of digest chains: one function adds to it, and nobody takes away."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.constructs.state_table import state_table

ADD = ("dynamodb:PutItem",)
CHANGE = (
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:UpdateItem",
)


def anchor_table(scope: Construct, id_: str, *, key: kms.IKey | None, writer_role_arn: str) -> dynamodb.Table:
    """Return a table whose items the role of ``writer_role_arn`` alone may put, and nobody change otherwise.

    It is not the ledger, so that who may write ledger and bucket cannot cut the end off both. Its policy
    binds the account's administrators too: they must first change the policy, which a trail records.
    Nothing in it expires.

    Source: DynamoDB developer guide, "Resource-based policies". Such a policy is attached to its table;
    to name the table in it would be a circle in CloudFormation, so its resource is ``*``.
    """
    table = state_table(scope, id_, key=key, expiry=False)
    _deny(table, "DenyChangingHeads", CHANGE, {})
    _deny(table, "DenyAnchoring", ADD, {"ArnNotEquals": {"aws:PrincipalArn": writer_role_arn}})
    return table


def _deny(table: dynamodb.Table, sid: str, actions: tuple[str, ...], when: dict[str, Any]) -> None:
    table.add_to_resource_policy(
        iam.PolicyStatement(
            sid=sid,
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=list(actions),
            resources=["*"],
            conditions=when,
        )
    )
