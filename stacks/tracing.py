"""X-Ray for every function, by Lambda's own configuration: no SDK of it is in our code."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from stacks.acknowledge import acknowledge

# Lambda developer guide, "Visualize Lambda function invocations using AWS X-Ray": what a role needs.
_SEND = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")


def trace(app: cdk.App) -> None:
    """Let Lambda sample the invocations of every function in ``app``, and time its start and its run."""
    for construct in app.node.find_all():
        if isinstance(construct, lambda_.Function) and construct.role is not None:
            resource = construct.node.default_child
            assert isinstance(resource, lambda_.CfnFunction)
            resource.tracing_config = lambda_.CfnFunction.TracingConfigProperty(mode="Active")
            construct.role.add_to_principal_policy(
                iam.PolicyStatement(actions=list(_SEND), resources=["*"])  # X-Ray knows no resource for them
            )
            acknowledge(construct.role, "AwsSolutions-IAM5[Resource::*]", "Sending traces knows no resource.")
