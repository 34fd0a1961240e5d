"""What a person must hear about: work that was given up, work that does not move, digests that failed."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.acknowledge import acknowledge
from stacks.constructs.work_queue import WorkQueue

PERIOD = cdk.Duration.minutes(5)


class Alarms(Construct):
    """The alarms of one installation; ``topic_arn`` hears of each, when it is not empty."""

    def __init__(self, scope: Construct, id_: str, *, topic_arn: str) -> None:
        super().__init__(scope, id_)
        topics = [sns.Topic.from_topic_arn(self, "Topic", topic_arn)] if topic_arn else []
        self._actions = [actions.SnsAction(topic) for topic in topics]

    def watch_queue(self, name: str, work: WorkQueue, *, oldest_seconds: int) -> None:
        """Tell when a message of ``work`` was given up, or waits longer than ``oldest_seconds``."""
        self._add(
            f"{name}GivenUp",
            work.dead_letters.metric_approximate_number_of_messages_visible(
                period=PERIOD, statistic=cloudwatch.Stats.MAXIMUM
            ),
            above=0,
            description="Messages in a dead-letter queue: repair what they say is wrong, then redrive. They "
            "expire 14 days after they were first sent.",
        )
        self._add(
            f"{name}Late",
            work.queue.metric_approximate_age_of_oldest_message(
                period=PERIOD, statistic=cloudwatch.Stats.MAXIMUM
            ),
            above=oldest_seconds,
            description="Records wait: the function fails, is throttled, or a bucket refuses log files.",
        )

    def watch_digests(self, function: lambda_.Function) -> None:
        """Tell when a digest was not written, or when ``function``, which writes them, failed itself."""
        failed = cloudwatch.Metric(
            namespace="OpenTrail",
            metric_name="DigestsFailed",
            dimensions_map={"service": "digest"},
            period=PERIOD,
            statistic=cloudwatch.Stats.SUM,
        )
        description = "Log files without a digest cannot be proven; the next run tries again."
        self._add("DigestsFailed", failed, above=0, description=description)
        self._add("DigestErrors", function.metric_errors(period=PERIOD), above=0, description=description)

    def watch_rotation(self, function: lambda_.Function) -> None:
        """Tell when ``function``, which makes signing keys, failed."""
        description = "The signing key stays as it is until this works again; digests go on."
        self._add("RotateErrors", function.metric_errors(period=PERIOD), above=0, description=description)

    def watch_function(self, name: str, function: lambda_.Function, *, description: str) -> None:
        """Tell when ``function`` failed, or was not let run."""
        self._add(f"{name}Errors", function.metric_errors(period=PERIOD), above=0, description=description)
        throttled = "Lambda's concurrency is used up in this account and Region; the work waits."
        self._add(
            f"{name}Throttled", function.metric_throttles(period=PERIOD), above=0, description=throttled
        )

    def watch_validation(self, function: lambda_.Function) -> None:
        """Tell when something is wrong with a trail's files, and when ``function`` could not find out."""
        for name, description in {
            "ValidationFindings": "Log files or digests are missing or changed: `opentrail validate` tells.",
            "ValidationUnchecked": "Some chains of digests were not proven; the function's log tells why.",
        }.items():
            told = cloudwatch.Metric(
                namespace="OpenTrail",
                metric_name=name,
                dimensions_map={"service": "validate"},
                period=PERIOD,
                statistic=cloudwatch.Stats.SUM,
            )
            self._add(name, told, above=0, description=description)
        self._add(
            "ValidationErrors",
            function.metric_errors(period=PERIOD),
            above=0,
            description="Nothing is proven until this works again.",
        )

    def watch_api(self, function: lambda_.Function) -> None:
        """Tell when ``function``, which answers the API, failed a request or failed itself."""
        failed = cloudwatch.Metric(
            namespace="OpenTrail",
            metric_name="RequestsFailed",
            dimensions_map={"service": "api"},
            period=PERIOD,
            statistic=cloudwatch.Stats.SUM,
        )
        description = "The API answered 5xx: a table, key or directory it needs refused, or did not answer."
        self._add("RequestsFailed", failed, above=0, description=description)
        self._add("ApiErrors", function.metric_errors(period=PERIOD), above=0, description=description)

    def watch_remediation(self, given_up: sqs.IQueue) -> None:
        """Tell when a playbook failed, or an event for one was given up."""
        failed = cloudwatch.Metric(
            namespace="OpenTrail",
            metric_name="RemediationsFailed",
            dimensions_map={"service": "remediation"},
            period=PERIOD,
            statistic=cloudwatch.Stats.SUM,
        )
        self._add(
            "RemediationsFailed",
            failed,
            above=0,
            description="A dangerous change was found and stays: `opentrail remediation list` says why.",
        )
        self._watch_given_up(
            "RemediationsGivenUp",
            given_up,
            description="An event reached no playbook, or its function failed three times: see the queue.",
        )

    def watch_detections(self, function: lambda_.Function, given_up: sqs.IQueue) -> None:
        """Tell when ``function``, which judges events by detections, fails, or an event was given up."""
        self.watch_function("Detections", function, description="Events are judged again; its log tells why.")
        self._watch_given_up(
            "DetectionsGivenUp",
            given_up,
            description="An event was not judged: its function failed three times, see the queue.",
        )

    def _watch_given_up(self, id_: str, queue: sqs.IQueue, *, description: str) -> None:
        waiting = queue.metric_approximate_number_of_messages_visible(
            period=PERIOD, statistic=cloudwatch.Stats.MAXIMUM
        )
        self._add(id_, waiting, above=0, description=description)

    def _add(self, id_: str, metric: cloudwatch.Metric, *, above: float, description: str) -> None:
        alarm = cloudwatch.Alarm(
            self,
            id_,
            metric=metric,
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"OpenTrail: {description}",
        )
        if self._actions:
            alarm.add_alarm_action(*self._actions)
        else:
            acknowledge(
                alarm,
                "NIST.800.53.R5-CloudWatchAlarmAction",
                "Nobody was named who should hear of it: the options alarmEmail and alarmTopicArn do.",
            )
