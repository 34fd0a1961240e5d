"""Calls that a service makes itself, and the sessions it starts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.moto_api._internal.models import moto_api_backend

from opentrail.local.service_calls import LAMBDA, as_service
from opentrail.local.transport import Clients
from tests.conformance.capture.oracle import Laptop
from tests.conformance.capture.settings import ACCOUNT, TRUST
from tests.conformance.capture.transport import ENDPOINT, session_for

ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"


@pytest.fixture
def laptop() -> Laptop:
    moto_api_backend.reset()
    laptop = Laptop()
    laptop.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=TRUST)
    return laptop


def start_session(laptop: Laptop) -> dict[str, Any]:
    """Lambda takes on the role of its function ``thumbnails``."""
    service = Clients(as_service(laptop.gateway, LAMBDA), account=ACCOUNT, region="us-east-1")
    credentials: dict[str, Any] = service("sts").assume_role(RoleArn=ROLE, RoleSessionName="thumbnails")[
        "Credentials"
    ]
    return credentials


def test_a_service_is_named_as_caller_address_and_agent(laptop: Laptop) -> None:
    start_session(laptop)

    record = json.loads(laptop.captured[-1].detail)
    assert record["userIdentity"] == {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}
    assert record["sourceIPAddress"] == "lambda.amazonaws.com"
    assert record["userAgent"] == "lambda.amazonaws.com"
    assert record["recipientAccountId"] == ACCOUNT
    assert record["sharedEventID"] != record["eventID"]
    assert record["requestParameters"] == {"roleArn": ROLE, "roleSessionName": "thumbnails"}
    assert list(record["responseElements"]) == ["credentials"]


def test_a_functions_session_says_which_function_it_was_given_to(laptop: Laptop) -> None:
    credentials = start_session(laptop)

    session = session_for(
        laptop.gateway, access_key=credentials["AccessKeyId"], token=credentials["SessionToken"]
    )
    session.client("sqs", endpoint_url=ENDPOINT).list_queues()

    record = json.loads(laptop.captured[-1].detail)
    assert record["userIdentity"]["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/thumbnails"
    assert record["userIdentity"]["inScopeOf"] == {
        "issuerType": "AWS::Lambda::Function",
        "credentialsIssuedTo": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:thumbnails",
    }
    assert record["sourceIPAddress"] == "127.0.0.1"


def test_no_header_of_a_client_makes_it_a_service(laptop: Laptop) -> None:
    sqs = laptop.session.client("sqs", endpoint_url=ENDPOINT)
    sqs.meta.events.register(
        "before-sign",
        lambda request, **_: request.headers.add_header("opentrail.invoked_by", "lambda.amazonaws.com"),
    )

    sqs.list_queues()

    assert json.loads(laptop.captured[-1].detail)["userIdentity"]["type"] == "Root"
