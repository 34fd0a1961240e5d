"""Default bus -> home bus: the rule, its role, and the queue for what could not be sent."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IConstruct

from stacks.acknowledge import acknowledge
from stacks.constructs.home_bus import forwarder_role_name
from stacks.constructs.rules import ALL_CALLS, ALL_SOURCES, DETAIL_TYPES
from stacks.constructs.work_queue import RETENTION, allow_rules

# The longest EventBridge tries (API, RetryPolicy); then the event goes to the dead-letter queue.
RETRY_SECONDS = 24 * 3600
RETRIES = 185


class Forwarder(Construct):
    """Every call CloudTrail reports here goes to ``bus_arn``, where ``condition`` holds.

    No loop can close: the rule takes only events whose account and Region are its own, and
    a forwarded event keeps those of where it happened. So at its destination, whatever
    is deployed there, it matches no forwarding rule.

    What could not be sent for a day waits 14 more in the dead-letter queue.
    """

    def __init__(
        self, scope: Construct, id_: str, *, name_prefix: str, bus_arn: str, condition: cdk.CfnCondition
    ) -> None:
        super().__init__(scope, id_)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=RETENTION,
        )
        acknowledge(self.dead_letters, "AwsSolutions-SQS3", "It is a dead-letter queue itself, of a rule.")
        role = iam.Role(
            self,
            "Role",
            role_name=forwarder_role_name(name_prefix, cdk.Aws.REGION),
            assumed_by=iam.ServicePrincipal("events.amazonaws.com"),
            description="OpenTrail: sends calls to the home bus",
            inline_policies={
                "forward": iam.PolicyDocument(
                    statements=[iam.PolicyStatement(actions=["events:PutEvents"], resources=[bus_arn])]
                )
            },
        )
        rule = events.CfnRule(
            self,
            "Rule",
            description="OpenTrail: calls reported by CloudTrail, to the home bus",
            event_pattern={
                "source": ALL_SOURCES,
                "detail-type": DETAIL_TYPES,
                "account": [cdk.Aws.ACCOUNT_ID],
                "region": [cdk.Aws.REGION],
            },
            state=ALL_CALLS,
            targets=[
                events.CfnRule.TargetProperty(
                    id="Home",
                    arn=bus_arn,
                    role_arn=role.role_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=self.dead_letters.queue_arn
                    ),
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=RETRY_SECONDS, maximum_retry_attempts=RETRIES
                    ),
                )
            ],
        )
        allow_rules(self.dead_letters, [rule.attr_arn])
        _make_conditional(self, condition)


def _make_conditional(construct: IConstruct, condition: cdk.CfnCondition) -> None:
    for child in construct.node.find_all():
        if isinstance(child, cdk.CfnResource):
            child.cfn_options.condition = condition
