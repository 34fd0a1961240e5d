"""Promises of the API stack: every route authorized, one per operation, and a function that may only look."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.loaders import Loader

from opentrail.settings import ApiSettings
from stacks.api_operations import OPERATIONS
from tests.stacks.conftest import Template, Templates
from tests.stacks.test_permissions import AT_REST, OWN_LOGS, as_list, named, statements

LOOK = {
    "arn:partition:s3:::*": {
        "s3:GetBucketPolicy",
        "s3:GetBucketRequestPayment",
        "s3:GetEncryptionConfiguration",
        "s3:ListBucket",
    },
    "arn:partition:kms:*:*:key/*": {"kms:DescribeKey", "kms:GetKeyPolicy"},
    "arn:partition:sns:*:*:*": {"sns:GetTopicAttributes"},
    "arn:partition:logs:*:account:log-group:*": {"logs:DescribeLogGroups"},
    "arn:partition:iam::account:role/*": {
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
    },
    "arn:partition:iam::*:policy/*": {"iam:GetPolicy", "iam:GetPolicyVersion"},
    "*": {
        "organizations:DeregisterDelegatedAdministrator",
        "organizations:DescribeAccount",
        "organizations:DescribeOrganization",
        "organizations:ListAWSServiceAccessForOrganization",
        "organizations:ListDelegatedAdministrators",
        "organizations:RegisterDelegatedAdministrator",
    },
}


def routes(api: Template) -> list[dict[str, Any]]:
    return list(api.of_type("AWS::ApiGatewayV2::Route").values())


def test_operations_are_those_of_the_model() -> None:
    model = Loader().load_service_model("cloudtrail", "service-2")

    assert sorted(OPERATIONS) == sorted(model["operations"])


def test_every_operation_has_one_route_and_nothing_else_has(api: Template) -> None:
    assert sorted(route["RouteKey"] for route in routes(api)) == sorted(f"POST /{o}" for o in OPERATIONS)


@pytest.mark.parametrize("installation", ["templates", "configured"])
def test_no_route_is_without_authorization(installation: str, request: pytest.FixtureRequest) -> None:
    templates: Templates = request.getfixturevalue(installation)

    assert {route.get("AuthorizationType") for route in routes(templates.api)} == {"AWS_IAM"}


def test_no_other_way_leads_to_the_function(api: Template) -> None:
    (permission,) = api.of_type("AWS::Lambda::Permission").values()

    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert json.dumps(permission["SourceArn"]).endswith('"/$default/POST/*"]]}')
    assert api.of_type("AWS::Lambda::Url") == {}
    assert api.of_type("AWS::ApiGatewayV2::Authorizer") == {}
    assert "CorsConfiguration" not in api.only("AWS::ApiGatewayV2::Api", "Http")


def test_every_route_leads_to_the_function_in_format_2(api: Template) -> None:
    (integration,) = api.of_type("AWS::ApiGatewayV2::Integration").values()
    name = api.id_of("AWS::ApiGatewayV2::Integration", "Http")

    function = api.id_of("AWS::Lambda::Function", "Api")
    assert integration["IntegrationUri"] == {"Fn::GetAtt": [function, "Arn"]}
    assert integration["PayloadFormatVersion"] == "2.0"
    targets = {json.dumps(route["Target"]) for route in routes(api)}
    assert targets == {json.dumps({"Fn::Join": ["", ["integrations/", {"Ref": name}]]})}


def test_requests_are_logged_and_limited(api: Template) -> None:
    (stage,) = api.of_type("AWS::ApiGatewayV2::Stage").values()

    assert {"caller", "route", "status"} <= json.loads(stage["AccessLogSettings"]["Format"]).keys()
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 50


def test_environment_is_exactly_the_settings(api: Template) -> None:
    environment = api.only("AWS::Lambda::Function", "Api")["Environment"]["Variables"]

    wanted = {"OPENTRAIL_" + name.upper() for name in ApiSettings.__dataclass_fields__}
    assert {name for name in environment if not name.startswith("POWERTOOLS_")} == wanted


def test_function_answers_before_api_gateway_gives_up(api: Template) -> None:
    assert api.only("AWS::Lambda::Function", "Api")["Timeout"] < 30


def test_role_may_do_this_and_nothing_more(api: Template) -> None:
    granted: dict[str, set[str]] = {}
    for statement in statements(api, "Api"):
        for resource in as_list(statement["Resource"]):
            granted.setdefault(spelled(resource), set()).update(as_list(statement["Action"]))

    assert granted == {
        "ApiLogs": OWN_LOGS,
        "TrailsTable": {
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        },
        "HistoryTable": {"dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:UpdateItem"},
        "LedgerTable": {"dynamodb:Query"},
        "HistoryBucket": {"s3:ListBucket"},
        "HistoryBucket/history/*": {"s3:GetObject"},
        "EncryptionKey": AT_REST,
        "SigningKey": {"kms:DescribeKey", "kms:GetPublicKey"},
        **LOOK,
    }


def test_it_delegates_cloudtrail_and_no_other_service(api: Template) -> None:
    (delegate,) = (
        s
        for s in statements(api, "Api")
        if "organizations:RegisterDelegatedAdministrator" in as_list(s["Action"])
    )

    assert delegate["Condition"] == {
        "StringEquals": {"organizations:ServicePrincipal": "cloudtrail.amazonaws.com"}
    }


def test_alarm_watches_the_metric_its_handler_writes(api: Template) -> None:
    alarm = api.only("AWS::CloudWatch::Alarm", "AlarmsRequestsFailed")

    variables = api.only("AWS::Lambda::Function", "Api")["Environment"]["Variables"]
    assert alarm["Namespace"] == variables["POWERTOOLS_METRICS_NAMESPACE"]
    assert alarm["Dimensions"] == [{"Name": "service", "Value": variables["POWERTOOLS_SERVICE_NAME"]}]


def spelled(resource: Any) -> str:
    """A resource's construct, or its ARN with words for the references in it."""
    if resource == "*":
        return "*"
    parts = resource.get("Fn::Join", [None, []])[1]
    if "arn:" not in parts:
        return named(resource)
    words = {"AWS::Partition": "partition", "AWS::AccountId": "account"}
    return "".join(part if isinstance(part, str) else words[part["Ref"]] for part in parts)
