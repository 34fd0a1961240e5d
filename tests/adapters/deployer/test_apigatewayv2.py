"""HTTP APIs: an API, what answers it, its routes and its stage."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.errors import DeployError
from tests.adapters.deployer.conftest import ACCOUNT, REGION, Deployer, resource

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:api"


def stack(*, rate: int = 10, **changes: Any) -> dict[str, Any]:
    """One API with one route; ``changes`` are properties of the route."""
    api = {"Ref": "Api"}
    target = {"Fn::Join": ["", ["integrations/", {"Ref": "Function"}]]}
    route = {"RouteKey": "POST /GetTrail", "AuthorizationType": "AWS_IAM", "Target": target, **changes}
    return {
        "Api": resource("AWS::ApiGatewayV2::Api", Name="api", ProtocolType="HTTP", Tags={"k": "v"}),
        "Function": resource(
            "AWS::ApiGatewayV2::Integration",
            ApiId=api,
            IntegrationType="AWS_PROXY",
            IntegrationUri=FUNCTION,
            PayloadFormatVersion="2.0",
        ),
        "Route": resource("AWS::ApiGatewayV2::Route", ApiId=api, **route),
        "Stage": resource(
            "AWS::ApiGatewayV2::Stage",
            ApiId=api,
            StageName="$default",
            AutoDeploy=True,
            DefaultRouteSettings={"ThrottlingRateLimit": rate},
        ),
    }


def test_an_api_is_made_changed_in_place_and_deleted(deployer: Deployer) -> None:
    outputs = {"Url": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}}}

    state = deployer.deploy(stack(), Outputs=outputs)

    gateway = deployer.clients("apigatewayv2")
    (api,) = gateway.get_apis()["Items"]
    assert (api["ProtocolType"], api["Tags"]) == ("HTTP", {"k": "v"})
    assert state.outputs["Url"] == api["ApiEndpoint"]
    (integration,) = gateway.get_integrations(ApiId=api["ApiId"])["Items"]
    assert (integration["IntegrationUri"], integration["PayloadFormatVersion"]) == (FUNCTION, "2.0")
    (route,) = gateway.get_routes(ApiId=api["ApiId"])["Items"]
    assert (route["RouteKey"], route["AuthorizationType"]) == ("POST /GetTrail", "AWS_IAM")
    assert route["Target"] == f"integrations/{integration['IntegrationId']}"

    deployer.deploy(stack(rate=20, RouteKey="POST /ListTrails"))

    (changed,) = gateway.get_routes(ApiId=api["ApiId"])["Items"]
    assert (changed["RouteId"], changed["RouteKey"]) == (route["RouteId"], "POST /ListTrails")
    stage = gateway.get_stage(ApiId=api["ApiId"], StageName="$default")
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 20
    deployer.engine.delete("Stack")
    assert gateway.get_apis()["Items"] == []


def test_unknown_property_of_a_route_is_refused(deployer: Deployer) -> None:
    with pytest.raises(DeployError, match=r"Route \(AWS::ApiGatewayV2::Route\): property Oops is not"):
        deployer.deploy(stack(Oops=1))
