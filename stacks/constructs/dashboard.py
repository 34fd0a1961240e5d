"""One screen that tells where records are, and what fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.constructs.work_queue import WorkQueue

PERIOD = cdk.Duration.minutes(5)
WIDTH = 12  # of 24 columns

# What the handlers count (service, metric), as Powertools writes it.
COUNTED = (
    ("record", "EventsRecorded"),
    ("record", "MessagesRejected"),
    ("deliver", "EventsDelivered"),
    ("digest", "DigestsDelivered"),
    ("digest", "DigestsFailed"),
    ("insights", "InsightEvents"),
)


class Dashboard(Construct):
    """The CloudWatch dashboard of one installation, named after its stack."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        queues: Mapping[str, WorkQueue],
        functions: Sequence[lambda_.Function],
    ) -> None:
        super().__init__(scope, id_)
        ages = [
            work.queue.metric_approximate_age_of_oldest_message(
                label=name, period=PERIOD, statistic=cloudwatch.Stats.MAXIMUM
            )
            for name, work in queues.items()
        ]
        given_up = [
            work.dead_letters.metric_approximate_number_of_messages_visible(
                label=name, period=PERIOD, statistic=cloudwatch.Stats.MAXIMUM
            )
            for name, work in queues.items()
        ]
        cloudwatch.Dashboard(
            self,
            "Board",
            widgets=[
                [
                    _graph("Oldest record on its way, seconds", ages),
                    _graph("Messages given up", given_up),
                ],
                [
                    _graph("Counts in five minutes", [_counted(*name) for name in COUNTED]),
                    _graph("Errors", [f.metric_errors(period=PERIOD) for f in functions]),
                ],
                [
                    _graph("Duration, ms, of the slowest run", [_slowest(f) for f in functions]),
                    _graph("Not let run", [f.metric_throttles(period=PERIOD) for f in functions]),
                ],
            ],
        )


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=WIDTH)


def _slowest(function: lambda_.Function) -> cloudwatch.Metric:
    return function.metric_duration(period=PERIOD, statistic=cloudwatch.Stats.MAXIMUM)


def _counted(service: str, name: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="OpenTrail",
        metric_name=name,
        dimensions_map={"service": service},
        period=PERIOD,
        statistic=cloudwatch.Stats.SUM,
    )
