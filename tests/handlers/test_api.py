"""The api function: what it believes of a request, and what it answers to requests that are wrong."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.api.handler import Endpoint
from opentrail.api.app import ApiReply, ApiRequest

NOW = datetime(2026, 1, 10, tzinfo=UTC)
IAM = {"accountId": "123456789012", "userArn": "arn:aws:iam::123456789012:user/eve"}


class Api:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[ApiRequest] = []

    def answer(self, request: ApiRequest) -> ApiReply:
        self.asked.append(request)
        return ApiReply(status=200, body=b"{}")


def ask(**changes: Any) -> tuple[ApiReply, list[ApiRequest]]:
    """The answer to a GetTrail, and what reached the API."""
    api = Api()
    request = {
        "routeKey": "POST /GetTrail",
        "headers": {},
        "requestContext": {"requestId": "r1", "authorizer": {"iam": IAM}},
        "body": "{}",
        **changes,
    }
    endpoint = Endpoint(api=api, region="us-east-1")  # type: ignore[arg-type]
    return endpoint.answer(request, NOW), api.asked


def test_the_route_says_what_and_the_authorizer_says_who() -> None:
    _, (asked,) = ask(headers={"x-amz-target": "CloudTrail_20131101.DeleteTrail"})

    assert asked == ApiRequest(
        target="GetTrail",
        body=b"{}",
        account=IAM["accountId"],
        region="us-east-1",
        caller_arn=IAM["userArn"],
        now=NOW,
        request_id="r1",
    )


def test_the_header_says_which_region_is_meant() -> None:
    _, (asked,) = ask(headers={"x-opentrail-region": "eu-west-1"})

    assert asked.region == "eu-west-1"


def test_a_region_that_does_not_exist_is_refused() -> None:
    reply, asked = ask(headers={"x-opentrail-region": "moon-1"})

    assert (reply.status, json.loads(reply.body)["__type"], asked) == (403, "InvalidSignatureException", [])


@pytest.mark.parametrize("authorizer", [{}, {"iam": None}, {"iam": {}}, {"jwt": {"claims": {}}}])
def test_a_request_nobody_signed_is_refused(authorizer: dict[str, Any]) -> None:
    reply, asked = ask(requestContext={"authorizer": authorizer})

    assert (reply.status, asked) == (403, [])
    assert json.loads(reply.body)["__type"] == "MissingAuthenticationTokenException"


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({"body": base64.b64encode(b'{"Name":"a"}').decode(), "isBase64Encoded": True}, b'{"Name":"a"}'),
        ({"body": None}, b""),
        ({"body": "{", "isBase64Encoded": True}, b"{"),
        ({"body": "\ud800"}, b"\xed\xa0\x80"),
    ],
)
def test_bodies_arrive_as_they_were_sent(given: dict[str, Any], body: bytes) -> None:
    _, (asked,) = ask(**given)

    assert asked.body == body
