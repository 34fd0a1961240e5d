"""The function that proves the last day of every trail."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from opentrail.settings import ValidateSettings
from stacks import api_permissions, permissions
from stacks.constructs.rules import Clock
from stacks.constructs.stage_function import StageFunction
from stacks.constructs.stage_role import stage_role
from stacks.options import Options
from stacks.storage_stack import StorageStack

STAGE = "validate"
SECONDS = 900

# A day and what a late run, or a late digest, takes.
HOURS = 26


class Validation(Construct):
    """Reads digests and log files of every trail with validation, and tells what it found.

    Its role reads: the buckets trails deliver to, the trails, the ledger, the anchor. It writes
    nothing but its report.
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
        self.role = stage_role(self, "Role", name_prefix=options.name_prefix, stage=STAGE)
        self.function = StageFunction(
            self,
            "Validate",
            stage=STAGE,
            settings=ValidateSettings(
                trails_table=storage.trails_table.table_name,
                ledger_table=storage.ledger_table.table_name,
                anchor_table=storage.anchor_table.table_name,
                signing_key_id=storage.signing_key.key_id,
                report_topic_arn=options.validation_topic_arn,
                hours=HOURS,
                lock_mode=options.object_lock_mode,
                lock_days=options.object_lock_days,
            ),
            role=self.role,
            code=code,
            layer=layer,
            timeout=cdk.Duration.seconds(SECONDS),
            memory_mib=1769,  # one whole processor: hashing is what it does
            log_retention_days=options.log_retention_days,
        ).function
        Clock(self, "ValidateClock", schedule=options.validation_schedule, function=self.function)
        self._grant(options, storage)

    def _grant(self, options: Options, storage: StorageStack) -> None:
        role, stack = self.role, cdk.Stack.of(self)
        destinations = permissions.destinations(stack, options, storage.log_bucket, storage.key_arns)
        permissions.read_log_files(role, destinations.buckets)
        permissions.decrypt(role, destinations.keys, "dynamodb", "s3")
        permissions.use_table(role, storage.trails_table, ("dynamodb:Scan",))
        for table in (storage.ledger_table, storage.anchor_table):
            permissions.use_table(role, table, ("dynamodb:Query",))
        api_permissions.publish_key(role, storage.signing_key)
        permissions.put_events(role, stack)
        if options.validation_topic_arn:
            role.add_to_policy(
                iam.PolicyStatement(actions=["sns:Publish"], resources=[options.validation_topic_arn])
            )
