"""The EventBridge rules: calls on the default bus -> intake queue, and the clocks of functions."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.constructs.work_queue import WorkQueue

# EventBridge user guide, "AWS service events delivered via CloudTrail".
DETAIL_TYPES = [
    "AWS API Call via CloudTrail",
    "AWS Console Sign In via CloudTrail",
    "AWS Console Action via CloudTrail",
    "AWS Service Event via CloudTrail",
    "AWS Network Activity Event via CloudTrail",
]

# Only AWS itself can put events of these sources on a bus.
ALL_SOURCES = [{"prefix": "aws."}]

# A rule that is merely ENABLED does not see read-only calls (EventBridge API, PutRule, State).
ALL_CALLS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


class CallRule(Construct):
    """Every call CloudTrail reports on a bus, the default one unless named, goes to ``intake``.

    What EventBridge cannot put on the queue goes to the queue's dead letters, as the
    same event, so one redrive serves both. The queues must allow ``rule_arn`` to send.
    """

    def __init__(self, scope: Construct, id_: str, *, intake: WorkQueue, bus_name: str | None = None) -> None:
        super().__init__(scope, id_)
        rule = events.CfnRule(
            self,
            "Rule",
            description="OpenTrail: calls reported by CloudTrail, to the intake queue",
            event_bus_name=bus_name,
            event_pattern={"source": ALL_SOURCES, "detail-type": DETAIL_TYPES},
            state=ALL_CALLS,
            targets=[
                events.CfnRule.TargetProperty(
                    id="Intake",
                    arn=intake.queue.queue_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=intake.dead_letters.queue_arn
                    ),
                )
            ],
        )
        self.rule_arn = rule.attr_arn


class Clock(Construct):
    """Invokes ``function`` at ``schedule`` (an EventBridge ``cron(...)`` or ``rate(...)``, UTC)."""

    def __init__(self, scope: Construct, id_: str, *, schedule: str, function: lambda_.Function) -> None:
        super().__init__(scope, id_)
        rule = events.CfnRule(
            self,
            "Rule",
            description=f"OpenTrail: when {id_.removesuffix('Clock').lower()} runs",
            schedule_expression=schedule,
            state="ENABLED",
            targets=[events.CfnRule.TargetProperty(id="Function", arn=function.function_arn)],
        )
        function.add_permission(
            f"{id_}Permission",
            principal=iam.ServicePrincipal("events.amazonaws.com"),
            source_arn=rule.attr_arn,
        )
