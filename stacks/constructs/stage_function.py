"""The function of one stage."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from opentrail.settings import Settings
from stacks.acknowledge import acknowledge
from stacks.constructs.code_assets import ARCHITECTURE, RUNTIME


class StageFunction(Construct):
    """A function whose code is ``lambdas/<stage>/handler.py``.

    Its environment is ``settings`` and what Powertools wants, nothing else. It may write
    to its own log group; everything else it may do is granted to ``role`` by the stack.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stage: str,
        settings: Settings,
        role: iam.Role,
        code: lambda_.Code,
        layer: lambda_.ILayerVersion,
        timeout: cdk.Duration,
        memory_mib: int,
        log_retention_days: int,
    ) -> None:
        super().__init__(scope, id_)
        log_group = logs.LogGroup(
            self,
            "Logs",
            retention=retention(log_retention_days),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        log_group.grant_write(role)
        self.function = lambda_.Function(
            self,
            "Function",
            description=f"OpenTrail: {stage}",
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            handler=f"lambdas.{stage}.handler.handler",
            code=code,
            layers=[layer],
            role=role,
            environment={
                "POWERTOOLS_SERVICE_NAME": stage,
                "POWERTOOLS_METRICS_NAMESPACE": "OpenTrail",
                **settings.to_env(),
            },
            timeout=timeout,
            memory_size=memory_mib,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
        )
        acknowledge(
            self.function,
            "AwsSolutions-L1",
            "python3.13 is the newest version all packages of the layer have arm64 wheels and our tests for.",
        )

    def read_queue(
        self, queue: sqs.IQueue, *, batch_size: int, window: cdk.Duration, max_concurrency: int
    ) -> None:
        """Take messages from ``queue``; those the handler names as failed come again, the others do not."""
        self.function.add_event_source_mapping(
            "Messages",
            event_source_arn=queue.queue_arn,
            batch_size=batch_size,
            max_batching_window=window,
            max_concurrency=max_concurrency,
            report_batch_item_failures=True,
        )


def retention(days: int) -> logs.RetentionDays:
    """Return CDK's name for that many days; those of ``stacks.options.LOG_RETENTION_DAYS`` have one."""
    return next(member for member in logs.RetentionDays if _DAYS.get(member.name) == days)


_DAYS = {
    "ONE_DAY": 1,
    "THREE_DAYS": 3,
    "FIVE_DAYS": 5,
    "ONE_WEEK": 7,
    "TWO_WEEKS": 14,
    "ONE_MONTH": 30,
    "TWO_MONTHS": 60,
    "THREE_MONTHS": 90,
    "FOUR_MONTHS": 120,
    "FIVE_MONTHS": 150,
    "SIX_MONTHS": 180,
    "ONE_YEAR": 365,
    "THIRTEEN_MONTHS": 400,
    "EIGHTEEN_MONTHS": 545,
    "TWO_YEARS": 731,
}
