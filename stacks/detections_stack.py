"""Detections: default bus, home bus -> one rule each for every Sigma rule -> one function -> findings."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from opentrail.settings import DetectionsSettings
from stacks import permissions
from stacks.constructs.alarms import Alarms
from stacks.constructs.code_assets import function_code, package_layer
from stacks.constructs.code_bundle import DETECTIONS
from stacks.constructs.dead_letters import GiveUp, dead_letters
from stacks.constructs.home_bus import home_bus_name
from stacks.constructs.rules import ALL_CALLS
from stacks.constructs.stage_function import StageFunction
from stacks.constructs.stage_role import stage_role
from stacks.constructs.state_table import state_table
from stacks.detections import Detection, compiled, pattern_of, to_json
from stacks.options import Options
from stacks.pipeline_stack import PipelineStack
from stacks.storage_stack import StorageStack

STAGE = "detections"
RUN_SECONDS = 30


class DetectionsStack(cdk.Stack):
    """OpenTrailDetections. Its table holds which findings were told, so that none is told twice."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        options: Options,
        storage: StorageStack,
        pipeline: PipelineStack,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, id_, **kwargs)
        self.table = state_table(self, "State", key=storage.encryption_key)
        self.given_up = dead_letters(self, "GivenUp", key=storage.encryption_key)
        self.role = stage_role(self, "Role", name_prefix=options.name_prefix, stage=STAGE)
        self._grant(options, storage, pipeline.intake.queue)
        rules = compiled(options.detections_folder)
        self.function = self._function(options, pipeline, to_json(rules.detections))
        home_bus = home_bus_name(options.name_prefix)
        for rule in rules.detections:
            self._watch("Rule", rule)
            self._watch("HomeRule", rule, bus=home_bus)  # calls of other Regions and accounts
        for note in rules.notes:
            cdk.Annotations.of(self).add_warning_v2("OpenTrail:Detection", note)
        self._let_rules_call("RulePermission", self.stack_name)
        self._let_rules_call("HomeRulePermission", f"{home_bus}/{self.stack_name}")
        cdk.CfnOutput(self, "DetectionsFunctionName", value=self.function.function_name)
        Alarms(self, "Alarms", topic_arn=storage.alarm_topic_arn).watch_detections(
            self.function, self.given_up
        )

    def _grant(self, options: Options, storage: StorageStack, intake: sqs.Queue) -> None:
        permissions.use_table(self.role, self.table, ("dynamodb:GetItem", "dynamodb:PutItem"))
        permissions.send_messages(self.role, [intake, self.given_up])
        permissions.put_events(self.role, self)
        permissions.use_keys(self.role, storage.key_arns, "dynamodb", "sqs")
        if options.detections_topic_arn:
            permissions.notify(self.role, [options.detections_topic_arn], options.delivery_key_arns)

    def _function(self, options: Options, pipeline: PipelineStack, compiled: bytes) -> lambda_.Function:
        function = StageFunction(
            self,
            "Detections",
            stage=STAGE,
            settings=DetectionsSettings(
                state_table=self.table.table_name,
                intake_queue_url=pipeline.intake.queue.queue_url,
                topic_arn=options.detections_topic_arn,
                own_role_arns=pipeline.own_role_arns,
            ),
            role=self.role,
            code=function_code({DETECTIONS: compiled}),
            layer=package_layer(self, "Packages", bundle=options.bundle_layer),
            timeout=cdk.Duration.seconds(RUN_SECONDS),
            memory_mib=512,
            log_retention_days=options.log_retention_days,
        ).function
        function.configure_async_invoke(retry_attempts=2, on_failure=GiveUp(self.given_up))
        return function

    def _watch(self, name: str, rule: Detection, *, bus: str | None = None) -> None:
        """Send what may match ``rule`` to the function, with the rule's id: it judges by that rule alone."""
        template = json.dumps({"detection": rule.id, "event": 0}).replace("0}", "<aws.events.event.json>}")
        events.CfnRule(
            self,
            f"{name}{rule.id.replace('-', '')}",
            description=f"OpenTrail finds: {rule.title}"[:512],
            event_bus_name=bus,
            event_pattern=dict(pattern_of(rule.condition).body),
            state=ALL_CALLS,
            targets=[
                events.CfnRule.TargetProperty(
                    id="Function",
                    arn=self.function.function_arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(input_template=template),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self.given_up.queue_arn),
                )
            ],
        )

    def _let_rules_call(self, id_: str, start: str) -> None:
        """One permission for all of a bus: a function's policy has room for some sixty. CloudFormation
        begins the names of what it names with the stack's."""
        rules = self.format_arn(service="events", resource="rule", resource_name=f"{start}-*")
        self.function.add_permission(
            id_, principal=iam.ServicePrincipal("events.amazonaws.com"), source_arn=rules
        )
