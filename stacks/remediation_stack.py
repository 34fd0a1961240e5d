"""Remediation: default bus -> one rule, one function and one role per playbook."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from opentrail.settings import RemediationSettings
from stacks import permissions
from stacks.acknowledge import acknowledge
from stacks.constructs.alarms import Alarms
from stacks.constructs.code_assets import function_code, package_layer
from stacks.constructs.code_bundle import USER_PLAYBOOKS
from stacks.constructs.dead_letters import GiveUp, dead_letters
from stacks.constructs.rules import ALL_CALLS
from stacks.constructs.stage_function import StageFunction
from stacks.constructs.stage_role import stage_role, stage_role_arn
from stacks.constructs.state_table import state_table
from stacks.options import Options
from stacks.pipeline_stack import PipelineStack
from stacks.playbooks import Permission, Playbook, playbooks
from stacks.storage_stack import StorageStack

RUN_SECONDS = 60
LEASE_SECONDS = 2 * RUN_SECONDS
ACTS_PER_HOUR = 30
ACTS_PER_RESOURCE = 5
KEEP_DAYS = 90  # as long as event history shows the decision
ROLE_STAGE = "fix"  # role names are at most 64 characters, with prefix, playbook and Region

# Claims, the count of failures, and decisions; then what acting takes: limits, the breaker, undo data.
KEEP_STATE = ("dynamodb:PutItem", "dynamodb:UpdateItem")
ACT_BY_STATE = ("dynamodb:DeleteItem", "dynamodb:GetItem")


class RemediationStack(cdk.Stack):
    """OpenTrailRemediation. Its table is kept when the stack goes: it holds what undoing needs."""

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
        self._options = options
        self._storage = storage
        self._intake = pipeline.intake.queue
        self._mode = cdk.CfnParameter(
            self,
            "RemediationMode",
            default=options.remediation_mode,
            allowed_values=["observe", "enforce"],
            description="observe: playbooks say what they would do. enforce: they do it",
        )
        self._modes = cdk.CfnParameter(
            self,
            "RemediationModes",
            default=",".join(options.remediation_modes),
            description="Exceptions: playbook=mode, account=mode, account/playbook=mode; commas between",
        )
        self._may_fix = cdk.CfnCondition(
            self,
            "MayFix",
            expression=cdk.Fn.condition_not(
                cdk.Fn.condition_and(
                    cdk.Fn.condition_equals(self._mode.value_as_string, "observe"),
                    cdk.Fn.condition_equals(self._modes.value_as_string, ""),
                )
            ),
        )
        self.table = state_table(self, "State", key=storage.encryption_key)
        self.given_up = dead_letters(self, "GivenUp", key=storage.encryption_key)
        folder = options.playbooks_folder
        found = playbooks(folder)
        self._code = function_code({USER_PLAYBOOKS: Path(folder)} if folder else None)
        self._layer = package_layer(self, "Packages", bundle=options.bundle_layer)
        self._own_roles = tuple(stage_role_arn(options.name_prefix, _stage(playbook)) for playbook in found)
        self.stages = {playbook.id: self._add(playbook) for playbook in found}
        Alarms(self, "Alarms", topic_arn=storage.alarm_topic_arn).watch_remediation(self.given_up)
        cdk.CfnOutput(self, "RemediationTableName", value=self.table.table_name)

    def _add(self, playbook: Playbook) -> StageFunction:
        name = _construct_name(playbook)
        role = stage_role(self, f"{name}Role", name_prefix=self._options.name_prefix, stage=_stage(playbook))
        self._grant(name, playbook, role)
        stage = StageFunction(
            self,
            name,
            stage="remediation",
            settings=self._settings(playbook),
            role=role,
            code=self._code,
            layer=self._layer,
            timeout=cdk.Duration.seconds(RUN_SECONDS),
            memory_mib=512,
            log_retention_days=self._options.log_retention_days,
        )
        stage.function.configure_async_invoke(retry_attempts=2, on_failure=GiveUp(self.given_up))
        self._call(name, playbook, stage.function)
        return stage

    def _settings(self, playbook: Playbook) -> RemediationSettings:
        options = self._options
        return RemediationSettings(
            playbook=playbook.id,
            state_table=self.table.table_name,
            intake_queue_url=self._intake.queue_url,
            mode=self._mode.value_as_string,
            remediation_modes=(self._modes.value_as_string,),
            own_roles=self._own_roles,
            break_glass=options.break_glass,
            exempt=options.remediation_exempt,
            acts_per_hour=ACTS_PER_HOUR,
            acts_per_resource=ACTS_PER_RESOURCE,
            keep_days=KEEP_DAYS,
            lease_seconds=LEASE_SECONDS,
        )

    def _grant(self, name: str, playbook: Playbook, role: iam.Role) -> None:
        """Grant what the playbook says it needs; what changes things only where it may change things."""
        acting = ACT_BY_STATE if playbook.fix else ()
        permissions.use_table(role, self.table, (*KEEP_STATE, *acting))
        permissions.send_messages(role, [self._intake, self.given_up])
        permissions.put_events(role, self)
        permissions.use_keys(role, self._storage.key_arns, "dynamodb", "sqs")
        for permission in playbook.reads:
            role.add_to_policy(self._statement(role, permission))
        if playbook.writes:
            fix = iam.Policy(
                self,
                f"{name}Fix",
                roles=[role],
                statements=[self._statement(role, permission) for permission in playbook.writes],
            )
            _explain(fix, playbook.writes)
            cast(iam.CfnPolicy, fix.node.default_child).cfn_options.condition = self._may_fix
        _explain(role, playbook.reads)

    def _statement(self, role: iam.Role, permission: Permission) -> iam.PolicyStatement:
        place = {"partition": self.partition, "account": self.account, "region": self.region}
        return iam.PolicyStatement(
            actions=list(permission.actions),
            resources=[resource.format(**place) for resource in permission.resources],
        )

    def _call(self, name: str, playbook: Playbook, function: lambda_.Function) -> None:
        rule = events.CfnRule(
            self,
            f"{name}Rule",
            description=f"OpenTrail: {playbook.title}",
            event_pattern=dict(playbook.pattern),
            state=ALL_CALLS,
            targets=[
                events.CfnRule.TargetProperty(
                    id="Function",
                    arn=function.function_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self.given_up.queue_arn),
                )
            ],
        )
        function.add_permission(
            "RulePermission", principal=iam.ServicePrincipal("events.amazonaws.com"), source_arn=rule.attr_arn
        )


def _stage(playbook: Playbook) -> str:
    return f"{ROLE_STAGE}-{playbook.id}"


def _construct_name(playbook: Playbook) -> str:
    return "".join(word.capitalize() for word in playbook.id.split("-"))


def _explain(holder: iam.Role | iam.Policy, permitted: tuple[Permission, ...]) -> None:
    place = {"partition": "<AWS::Partition>", "account": "<AWS::AccountId>", "region": "<AWS::Region>"}
    for permission in permitted:
        for resource in permission.resources:
            if "*" in resource:
                rule = f"AwsSolutions-IAM5[Resource::{resource.format(**place)}]"
                acknowledge(holder, rule, f"A playbook guards what does not exist yet: {permission.why}.")
