"""Requests no SDK sends: CloudTrail answers them itself, and each leaves a record where it is a call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opentrail.local.call import Call, Captured, Counters, Reply
from opentrail.local.gateway import Gateway
from tests.conformance.capture.test_gateway import environ, own_gateway, scope, serve

PREFIX = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"
TARGET = f"{PREFIX}.DescribeTrails"


def cloudtrail() -> tuple[Gateway, list[Captured], Counters, list[Call]]:
    """A gateway whose CloudTrail remembers what reached it."""
    calls: list[Call] = []

    def answer(call: Call) -> Reply:
        calls.append(call)
        return Reply(status=200, headers={"Content-Type": "application/x-amz-json-1.1"}, body=b"{}")

    return *own_gateway(cloudtrail=answer), calls


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer x", "AWS4-HMAC-SHA256 Credential=", scope("s3"), scope("dynamodb"), "\xe9"],
)
def test_a_target_of_cloudtrail_reaches_it_whatever_the_signature_says(authorization: str | None) -> None:
    gateway, captured, _, calls = cloudtrail()
    signed = {} if authorization is None else {"authorization": authorization}

    status, _, _ = serve(gateway, environ("POST", "/", b"{}", x_amz_target=TARGET, **signed))

    assert (status, [c.operation for c in calls]) == (200, ["DescribeTrails"])
    assert json.loads(captured[-1].detail)["eventName"] == "DescribeTrails"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "FOO"])
def test_only_post_calls_an_operation(method: str) -> None:
    gateway, captured, _, calls = cloudtrail()
    request = environ(method, "/", b"{}", x_amz_target=TARGET, authorization=scope("cloudtrail"))

    status, headers, body = serve(gateway, request)

    assert (status, json.loads(body)) == (404, {"__type": "UnknownOperationException"})
    assert len(headers["x-amzn-RequestId"]) == 36
    assert (captured, calls) == ([], [])


@pytest.mark.parametrize("media", ["application/cbor", "application/x-amz-cbor-1.1"])
@pytest.mark.parametrize("body", [b"{}", b"\xff", b"\x9f", b"\xbf", b"\xa1\x01\x02"])
def test_what_says_it_is_cbor_and_is_not_reaches_the_service_as_it_is(media: str, body: bytes) -> None:
    gateway, _, counters, calls = cloudtrail()
    request = environ(
        "POST", "/", body, content_type=media, x_amz_target=TARGET, authorization=scope("cloudtrail")
    )

    status, _, _ = serve(gateway, request)

    assert (status, counters.capture_errors, len(calls)) == (200, 0, 1)


@pytest.mark.parametrize("half", [r"\ud800", r"\uDFFF", r"\ud83d \ude00"])
def test_half_a_character_does_not_keep_a_call_from_being_recorded(half: str) -> None:
    gateway, captured, counters, _ = cloudtrail()
    body = f'{{"trailNameList": ["a{half}b"]}}'.encode()
    request = environ("POST", "/", body, x_amz_target=TARGET, authorization=scope("cloudtrail"))

    serve(gateway, request)

    recorded: Any = json.loads(captured[-1].detail)["requestParameters"]["trailNameList"][0]
    assert (recorded[0], "?" in recorded, recorded[-1]) == ("a", True, "b")
    assert counters.capture_errors == 0


def test_a_whole_character_is_recorded_as_it_is() -> None:
    gateway, captured, _, _ = cloudtrail()
    body = rb'{"trailNameList": ["\ud83d\ude00"]}'

    serve(gateway, environ("POST", "/", body, x_amz_target=TARGET, authorization=scope("cloudtrail")))

    assert json.loads(captured[-1].detail)["requestParameters"] == {"trailNameList": ["\U0001f600"]}
