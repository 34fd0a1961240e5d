"""Where the calls of other Regions and accounts arrive: a bus of our own -> intake queue."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from constructs import Construct

from stacks.constructs.rules import CallRule
from stacks.constructs.work_queue import WorkQueue


def home_bus_name(name_prefix: str) -> str:
    """``OpenTrail-calls``: forwarders in other accounts know it without being told."""
    return f"{name_prefix}-calls"


def forwarder_role_name(name_prefix: str, region: str) -> str:
    """``OpenTrail-forward-eu-west-1``; with the Region, because all Regions share role names."""
    return f"{name_prefix}-forward-{region}"


class HomeBus(Construct):
    """The bus that forwarders send to; its one rule leads to ``intake``. Detections add theirs.

    Not the default bus, for two reasons: rules and functions that people have there would
    begin to see other accounts' calls, and no rule on this bus can send an event on, so that
    no loop can close through it.

    Forwarders of this account, in other Regions, need only their role. Those of other
    accounts are let in by their role's name, and only from ``organization_id``.
    """

    def __init__(
        self, scope: Construct, id_: str, *, name_prefix: str, organization_id: str, intake: WorkQueue
    ) -> None:
        super().__init__(scope, id_)
        name = home_bus_name(name_prefix)
        arn = cdk.Stack.of(self).format_arn(service="events", resource="event-bus", resource_name=name)
        bus = events.CfnEventBus(
            self,
            "Bus",
            name=name,
            description="OpenTrail: calls of other Regions and accounts",
            policy=_organization_policy(arn, name_prefix, organization_id) if organization_id else None,
        )
        self.rule_arn = CallRule(self, "Calls", intake=intake, bus_name=bus.ref).rule_arn
        cdk.CfnOutput(cdk.Stack.of(self), "HomeBusArn", value=bus.attr_arn)


def _organization_policy(bus_arn: str, name_prefix: str, organization_id: str) -> dict[str, object]:
    role = f"arn:{cdk.Aws.PARTITION}:iam::*:role/{forwarder_role_name(name_prefix, '*')}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ForwardersOfTheOrganization",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "events:PutEvents",
                "Resource": bus_arn,
                "Condition": {
                    "StringEquals": {"aws:PrincipalOrgID": organization_id},
                    "ArnLike": {"aws:PrincipalArn": role},
                },
            }
        ],
    }
