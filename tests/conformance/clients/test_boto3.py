"""boto3 with our hook against the API in AWS."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

import opentrail
from opentrail.errors import SettingsError
from tests.conformance.clients.conftest import BUCKET, Deployment
from tests.conformance.clients.gateway import ACCOUNT, REGION

ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


def test_a_trail_lives_through_the_hooked_client(deployment: Deployment) -> None:
    trails = opentrail.client(deployment.session(), deployment.url, region=REGION)

    created = trails.create_trail(Name="audit", S3BucketName=BUCKET, IsMultiRegionTrail=True)
    trails.start_logging(Name="audit")

    assert created["TrailARN"] == ARN
    assert trails.get_trail_status(Name="audit")["IsLogging"] is True
    trails.delete_trail(Name="audit")
    with refused("TrailNotFoundException"):
        trails.get_trail(Name="audit")
    assert deployment.gateway.paths[:2] == ["/CreateTrail", "/StartLogging"]


def test_the_clients_region_is_the_one_that_is_meant(deployment: Deployment) -> None:
    opentrail.client(deployment.session(), deployment.url, region=REGION).create_trail(
        Name="audit", S3BucketName=BUCKET, IsMultiRegionTrail=True
    )
    elsewhere = opentrail.client(deployment.session(region="eu-west-1"), deployment.url, region=REGION)

    shadows = elsewhere.describe_trails()["trailList"]

    assert [(trail["TrailARN"], trail["HomeRegion"]) for trail in shadows] == [(ARN, REGION)]
    with refused("InvalidHomeRegionException"):
        elsewhere.start_logging(Name=ARN)


def test_register_reaches_every_later_client_and_no_other_service(deployment: Deployment) -> None:
    session = deployment.session()
    opentrail.register(session, deployment.url, region=REGION)

    assert session.client("cloudtrail").describe_trails()["trailList"] == []
    assert session.client("s3").meta.endpoint_url == "https://s3.amazonaws.com"


def test_what_no_policy_grants_is_an_access_denied_error(deployment: Deployment) -> None:
    deployment.gateway.denied = {"StopLogging"}
    trails = opentrail.client(deployment.session(), deployment.url, region=REGION)

    with refused("AccessDeniedException"):
        trails.stop_logging(Name="audit")


def test_a_wrong_secret_is_refused(deployment: Deployment) -> None:
    trails = opentrail.client(deployment.session(secret="wrong"), deployment.url, region=REGION)

    with refused("AccessDeniedException"):
        trails.describe_trails()


def test_the_region_of_the_api_is_read_from_its_host() -> None:
    from opentrail.execute_api import Endpoint

    url = "https://abc123.execute-api.eu-west-1.amazonaws.com/"

    assert Endpoint.parse(url) == Endpoint(url.rstrip("/"), "eu-west-1")


@pytest.mark.parametrize(
    ("url", "complaint"), [("", "OPENTRAIL_API_URL"), ("https://trails.example.com", "give the Region")]
)
def test_an_endpoint_that_says_too_little_is_refused(url: str, complaint: str) -> None:
    from opentrail.execute_api import Endpoint

    with pytest.raises(SettingsError, match=complaint):
        Endpoint.parse(url)
