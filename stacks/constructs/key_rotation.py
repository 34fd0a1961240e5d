"""The function that makes signing keys."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from opentrail.settings import SIGNING_KEY_TAG, RotateSettings
from stacks import api_permissions, permissions
from stacks.acknowledge import acknowledge
from stacks.constructs.keys import signing_policy
from stacks.constructs.rules import Clock
from stacks.constructs.stage_function import StageFunction
from stacks.constructs.stage_role import stage_role, stage_role_arn
from stacks.options import Options
from stacks.storage_stack import StorageStack

STAGE = "rotate"
SECONDS = 60

# Every hour, though a key is due once in many days: a run that failed is made good soon.
SCHEDULE = "cron(20 * * * ? *)"


class KeyRotation(Construct):
    """Makes a new signing key when the present one has served its days.

    Its role can make signing keys and register them. It can neither sign nor change a
    key or its policy, nor anything else in the ledger table.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        options: Options,
        storage: StorageStack,
        code: lambda_.Code,
        layer: lambda_.ILayerVersion,
    ) -> None:
        super().__init__(scope, id_)
        policy = signing_policy(stage_role_arn(options.name_prefix, "digest"))
        self.role = stage_role(self, "Role", name_prefix=options.name_prefix, stage=STAGE)
        self.function = StageFunction(
            self,
            "Rotate",
            stage=STAGE,
            settings=RotateSettings(
                ledger_table=storage.ledger_table.table_name,
                signing_key_id=storage.signing_key.key_id,
                key_policy=cdk.Stack.of(self).to_json_string(policy),
                key_owner=options.name_prefix,
                rotation_days=options.key_rotation_days,
            ),
            role=self.role,
            code=code,
            layer=layer,
            timeout=cdk.Duration.seconds(SECONDS),
            memory_mib=256,
            log_retention_days=options.log_retention_days,
        ).function
        Clock(self, "RotateClock", schedule=SCHEDULE, function=self.function)
        permissions.use_signing_keys(self.role, storage.ledger_table, ["dynamodb:PutItem", "dynamodb:Query"])
        permissions.use_keys(self.role, storage.key_arns, "dynamodb")
        api_permissions.publish_key(self.role, storage.signing_key)
        _make_keys(self.role, options.name_prefix)


def _make_keys(role: iam.Role, owner: str) -> None:
    """Grant making RSA_2048 signing keys that carry the tag, and reading their public halves."""
    keys = permissions.any_key(role)
    tagged = {f"aws:RequestTag/{SIGNING_KEY_TAG}": owner}
    kind = {"kms:KeySpec": kms.KeySpec.RSA_2048.value, "kms:KeyUsage": kms.KeyUsage.SIGN_VERIFY.value}
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["kms:CreateKey"], resources=["*"], conditions={"StringEquals": {**kind, **tagged}}
        )
    )
    only_this = {"ForAllValues:StringEquals": {"aws:TagKeys": [SIGNING_KEY_TAG]}}
    role.add_to_policy(
        iam.PolicyStatement(
            # A tag on an existing key would let the digest function ask to sign with it. That key's
            # own policy would still have to agree.
            actions=["kms:TagResource"],
            resources=[keys],
            conditions={"StringEquals": tagged, **only_this},
        )
    )
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["kms:GetPublicKey"],
            resources=[keys],
            conditions={"StringEquals": {f"aws:ResourceTag/{SIGNING_KEY_TAG}": owner}},
        )
    )
    acknowledge(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        "kms:CreateKey knows no resource; conditions limit it to RSA_2048 signing keys with our tag.",
    )
