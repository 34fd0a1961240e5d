"""The CIS alarms with what they need: a log group for a trail, its role, a topic."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks import permissions
from stacks.acknowledge import acknowledge
from stacks.constructs.cis_alarms import CisAlarms
from stacks.options import Options


class CisStack(cdk.Stack):
    """OpenTrailCis: people hear of what CIS AWS Foundations section 4 wants them to hear of.

    A trail fills the log group when it is told to, by the group's and the role's ARN in the outputs.
    """

    def __init__(
        self, scope: Construct, id_: str, *, options: Options, alarm_topic_arn: str, **kwargs: Any
    ) -> None:
        super().__init__(scope, id_, **kwargs)
        self._name = permissions.cis_log_group_name(options)
        arn = permissions.log_group_arn(self._name)
        self._key = None if options.cis_log_group and alarm_topic_arn else self._make_key(arn)
        group = self._log_group(options)
        topic = self._topic(alarm_topic_arn)
        CisAlarms(self, "Cis", log_group=group, topic=topic)
        role = self._role(arn)
        outputs = {
            "TrailLogGroupArn": f"{arn}:*",
            "TrailLogRoleArn": role.role_arn,
        }
        if not alarm_topic_arn:
            outputs["CisTopicArn"] = topic.topic_arn
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)

    def _make_key(self, group_arn: str) -> kms.Key:
        """A key of their own: CloudWatch's services may use it, and nothing else of OpenTrail's.

        Source: CloudWatch Logs user guide, "Encrypt log data in CloudWatch Logs using AWS KMS";
        SNS developer guide, "Enable compatibility between event sources from AWS services".
        """
        key = kms.Key(
            self,
            "Key",
            description="OpenTrail: the trail's log group and the topic of its alarms",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AllowLogs",
                principals=[iam.ServicePrincipal(f"logs.{cdk.Aws.REGION}.amazonaws.com")],
                actions=[
                    "kms:Decrypt",
                    "kms:DescribeKey",
                    "kms:Encrypt",
                    "kms:GenerateDataKey*",
                    "kms:ReEncrypt*",
                ],
                resources=["*"],
                conditions={"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": group_arn}},
            )
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AllowAlarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            )
        )
        return key

    def _log_group(self, options: Options) -> logs.ILogGroup:
        if options.cis_log_group:
            return logs.LogGroup.from_log_group_name(self, "TrailLogs", options.cis_log_group)
        return logs.LogGroup(
            self,
            "TrailLogs",
            log_group_name=self._name,
            encryption_key=self._key,
            # A copy to search and to count; the proof is in the log bucket.
            retention=logs.RetentionDays.ONE_YEAR,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )

    def _topic(self, arn: str) -> sns.ITopic:
        if arn:
            return sns.Topic.from_topic_arn(self, "Topic", arn)
        return sns.Topic(self, "Topic", master_key=self._key, enforce_ssl=True)

    def _role(self, group_arn: str) -> iam.Role:
        """The role that CreateTrail wants beside the log group.

        Source: CloudTrail user guide, "Role policy document for CloudTrail to use CloudWatch Logs".
        """
        streams = f"{group_arn}:log-stream:*"
        role = iam.Role(
            self,
            "TrailLogsRole",
            assumed_by=iam.ServicePrincipal("cloudtrail.amazonaws.com"),
            description="OpenTrail: a trail's events to its log group",
            inline_policies={
                "stream": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[streams]
                        )
                    ]
                )
            },
        )
        acknowledge(
            role,
            f"AwsSolutions-IAM5[Resource::{permissions.finding_text(streams)}]",
            "A stream's name holds the trail's account, organization and home Region.",
        )
        return role
