"""CloudTrail's API: HTTP API -> api function -> trails table."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from opentrail.settings import ApiSettings
from stacks import api_permissions, permissions
from stacks.api_operations import OPERATIONS
from stacks.constructs.alarms import Alarms
from stacks.constructs.code_assets import function_code, package_layer
from stacks.constructs.operation_api import OperationApi
from stacks.constructs.stage_function import StageFunction, retention
from stacks.constructs.stage_role import stage_role
from stacks.options import Options
from stacks.storage_stack import StorageStack

API_SECONDS = 29  # API Gateway gives up after 30 (quota "Maximum integration timeout")

LOOKUPS_PER_SECOND = 2  # AWS General Reference, CloudTrail quotas; per account and Region


class ApiStack(cdk.Stack):
    """OpenTrailApi: what people and tools talk to. It keeps nothing of its own."""

    def __init__(
        self, scope: Construct, id_: str, *, options: Options, storage: StorageStack, **kwargs: Any
    ) -> None:
        super().__init__(scope, id_, **kwargs)
        self.role = stage_role(self, "ApiRole", name_prefix=options.name_prefix, stage="api")
        self.stage = StageFunction(
            self,
            "Api",
            stage="api",
            settings=ApiSettings(
                trails_table=storage.trails_table.table_name,
                history_table=storage.history_table.table_name,
                ledger_table=storage.ledger_table.table_name,
                signing_key_id=storage.signing_key.key_id,
                lookups_per_second=LOOKUPS_PER_SECOND,
            ),
            role=self.role,
            code=function_code(),
            layer=package_layer(self, "Packages", bundle=options.bundle_layer),
            timeout=cdk.Duration.seconds(API_SECONDS),
            memory_mib=1024,  # the cold start reads botocore's models, which is work for a processor
            log_retention_days=options.log_retention_days,
        )
        self._grant(storage, options)
        self.api = OperationApi(
            self,
            "Http",
            name=f"{options.name_prefix}Api",
            function=self.stage.function,
            operations=OPERATIONS,
            log_retention=retention(options.log_retention_days),
        )
        Alarms(self, "Alarms", topic_arn=storage.alarm_topic_arn).watch_api(self.stage.function)
        cdk.CfnOutput(self, "ApiUrl", value=self.api.url)
        cdk.CfnOutput(
            self,
            "DefaultTrail",
            description="What `opentrail trail create --default` makes",
            value=json.dumps(
                {
                    "Name": options.trail_name,
                    "DataTypes": options.trail_data_types,
                    "Insights": options.trail_insights,
                }
            ),
        )
        cdk.CfnOutput(self, "ApiFunctionName", value=self.stage.function.function_name)

    def _grant(self, storage: StorageStack, options: Options) -> None:
        permissions.use_table(self.role, storage.trails_table, api_permissions.KEEP_TRAILS)
        permissions.use_keys(self.role, storage.key_arns, "dynamodb", "s3")
        permissions.use_table(self.role, storage.history_table, api_permissions.READ_HISTORY)
        permissions.read_history(self.role, storage.history_bucket)
        permissions.use_signing_keys(self.role, storage.ledger_table, ["dynamodb:Query"])
        api_permissions.publish_key(self.role, storage.signing_key)
        api_permissions.look_at_destinations(self.role)
        api_permissions.use_organization(self.role)
        permissions.notify(self.role, options.notification_topic_arns, options.delivery_key_arns)
