"""Metric filters and alarms of CIS section 4 on a trail's log group."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.constructs.cis_controls import CONTROLS, CisControl

NAMESPACE = "OpenTrail/CIS"


class CisAlarms(Construct):
    """One filter and one alarm for each control; ``topic`` hears of a match within five minutes or so."""

    def __init__(self, scope: Construct, id_: str, *, log_group: logs.ILogGroup, topic: sns.ITopic) -> None:
        super().__init__(scope, id_)
        action = actions.SnsAction(topic)
        for control in CONTROLS:
            self._watch(control, log_group).add_alarm_action(action)

    def _watch(self, control: CisControl, log_group: logs.ILogGroup) -> cloudwatch.Alarm:
        matching = logs.MetricFilter(
            self,
            f"{control.name}Filter",
            log_group=log_group,
            filter_pattern=logs.FilterPattern.literal(control.pattern),
            metric_namespace=NAMESPACE,
            metric_name=control.name,
            metric_value="1",
        )
        return cloudwatch.Alarm(
            self,
            control.name,
            metric=matching.metric(statistic=cloudwatch.Stats.SUM, period=cdk.Duration.minutes(5)),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"OpenTrail: CIS AWS Foundations {control.number}, {control.title}",
        )
