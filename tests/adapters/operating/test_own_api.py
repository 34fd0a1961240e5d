"""Verbs that ask a deployment for its trails ask OpenTrail's API, never AWS's CloudTrail."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from opentrail.adapters.aws.deployment import Deployment
from opentrail.cli._deployment import own_cloudtrail
from opentrail.errors import StorageError

URL = "https://abc123.execute-api.eu-west-1.amazonaws.com"


@pytest.fixture(autouse=True)
def _no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_CLOUDTRAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "me")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "me")


def test_in_aws_it_is_found_by_the_stacks_output() -> None:
    cloudtrail = own_cloudtrail(Deployment({"ApiUrl": URL}, {}))
    asked: list[str] = []

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        asked.append(request.url)
        return AWSResponse(request.url, 200, HTTPHeaders(), _Body())

    cloudtrail.meta.events.register("before-send.cloudtrail.*", answer)
    cloudtrail.describe_trails()

    assert asked == [f"{URL}/DescribeTrails"]


def test_a_named_endpoint_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", "http://127.0.0.1:4567")

    cloudtrail = own_cloudtrail(Deployment({"ApiUrl": URL}, {}))

    assert cloudtrail.meta.endpoint_url == "http://127.0.0.1:4567"


def test_without_an_api_it_asks_nobody() -> None:
    with pytest.raises(StorageError, match="OpenTrailApi is missing"):
        own_cloudtrail(Deployment({}, {}))


class _Body:
    """What botocore reads of a urllib3 answer."""

    def stream(self, **_: Any) -> list[bytes]:
        return [b'{"trailList": []}']
