"""An HTTP API in front of one function: IAM authorization, one route per operation."""

from __future__ import annotations

import json
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

# Far above what CloudTrail's own quotas let one account do, far below what would starve the account's
# other functions (requests per second; CloudTrail quotas: 10 for the busiest operation).
RATE = 50
BURST = 100

# One line per request. Whom it came from is in here, what it said is not.
_ACCESS_LOG = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "route": "$context.routeKey",
    "status": "$context.status",
    "sourceIp": "$context.identity.sourceIp",
    "caller": "$context.identity.userArn",
    "error": "$context.error.message",
    "integrationError": "$context.integrationErrorMessage",
}


class OperationApi(Construct):
    """``POST /{operation}`` for each of ``operations``, answered by ``function``.

    Each route demands a signature for ``execute-api``, so that an IAM policy can grant
    ``execute-api:Invoke`` on ``{api}/$default/POST/GetTrail`` and nothing else. What has
    no route, API Gateway answers with 404 itself.

    Source: API Gateway developer guide, "Control access to HTTP APIs with IAM authorization".
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        function: lambda_.Function,
        operations: Sequence[str],
        log_retention: logs.RetentionDays,
    ) -> None:
        super().__init__(scope, id_)
        self.api = apigateway.CfnApi(
            self,
            "Api",
            name=name,
            description="OpenTrail: CloudTrail's API, one route per operation",
            protocol_type="HTTP",
        )
        integration = apigateway.CfnIntegration(
            self,
            "Function",
            api_id=self.api.ref,
            integration_type="AWS_PROXY",
            integration_uri=function.function_arn,
            payload_format_version="2.0",
        )
        for operation in operations:
            self._add_route(operation, integration)
        self._add_stage(log_retention)
        function.add_permission(
            "Invoke",
            principal=iam.ServicePrincipal("apigateway.amazonaws.com"),
            source_arn=cdk.Stack.of(self).format_arn(
                service="execute-api", resource=self.api.ref, resource_name="$default/POST/*"
            ),
        )

    @property
    def url(self) -> str:
        """Where clients find it, without a slash at the end."""
        return self.api.attr_api_endpoint

    def _add_route(self, operation: str, integration: apigateway.CfnIntegration) -> None:
        apigateway.CfnRoute(
            self,
            operation,
            api_id=self.api.ref,
            route_key=f"POST /{operation}",
            authorization_type="AWS_IAM",
            target=f"integrations/{integration.ref}",
        )

    def _add_stage(self, retention: logs.RetentionDays) -> None:
        group = logs.LogGroup(
            self, "AccessLogs", retention=retention, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        apigateway.CfnStage(
            self,
            "Stage",
            api_id=self.api.ref,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=group.log_group_arn, format=json.dumps(_ACCESS_LOG)
            ),
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                detailed_metrics_enabled=True, throttling_burst_limit=BURST, throttling_rate_limit=RATE
            ),
        )
