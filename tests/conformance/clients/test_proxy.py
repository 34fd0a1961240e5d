"""``opentrail proxy``: the real aws-cli, which knows nothing of API Gateway, against the API in AWS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.session import Session
from click.testing import CliRunner

from opentrail.cli import main
from opentrail.cli.proxy import Proxy
from opentrail.execute_api import Endpoint
from tests.conformance.clients.conftest import BUCKET, Deployment
from tests.conformance.clients.gateway import ACCOUNT, KEY, REGION, SECRET


@contextmanager
def proxying(url: str, **options: bool) -> Iterator[Proxy]:
    session = Session()
    session.set_credentials(KEY, SECRET)
    with Proxy(Endpoint(url, REGION), session, **options) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()


@pytest.fixture
def proxy(deployment: Deployment) -> Iterator[Proxy]:
    with proxying(deployment.url) as running:
        yield running


def client(proxy: Proxy, key: str = KEY, secret: str = SECRET) -> Any:
    session: Any = boto3.Session(key, secret, region_name=REGION)
    return session.client("cloudtrail", endpoint_url=proxy.url)


def aws(proxy: Proxy, *words: str, region: str = REGION) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL_CLOUDTRAIL": proxy.url,
    }
    command = [sys.executable, "-m", "awscli", "cloudtrail", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_cli_lives_through_a_trail(proxy: Proxy, deployment: Deployment) -> None:
    created = aws(proxy, "create-trail", "--name", "audit", "--s3-bucket-name", BUCKET, "--is-multi-region")
    shown = aws(proxy, "describe-trails", region="eu-west-1")
    missing = aws(proxy, "start-logging", "--name", "nope")

    assert (created.returncode, created.stderr) == (0, "")
    (trail,) = json.loads(shown.stdout)["trailList"]
    assert (trail["Name"], trail["HomeRegion"]) == ("audit", REGION)
    assert f"Unknown trail: arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/nope" in missing.stderr
    assert deployment.gateway.paths == ["/CreateTrail", "/DescribeTrails", "/StartLogging"]


def test_callers_with_other_credentials_borrow_nothing(proxy: Proxy, deployment: Deployment) -> None:
    with pytest.raises(ClientError, match=r"\(UnrecognizedClientException\)"):
        client(proxy, key="AKIAANOTHER").describe_trails()
    with pytest.raises(ClientError, match=r"\(InvalidSignatureException\)"):
        client(proxy, secret="guessed").describe_trails()
    assert deployment.gateway.paths == []


def test_any_caller_may_when_the_owner_says_so(deployment: Deployment) -> None:
    with proxying(deployment.url, any_caller=True) as proxy:
        assert client(proxy, key="AKIAANOTHER").describe_trails()["trailList"] == []


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, b"MissingAuthenticationTokenException"),
        ({"authorization": "Bearer token"}, b"MissingAuthenticationTokenException"),
    ],
)
def test_an_unsigned_request_goes_nowhere(
    proxy: Proxy, deployment: Deployment, headers: dict[str, str], code: bytes
) -> None:
    status, _, body = proxy.answer(headers, b"{}")

    assert (status, code in body) == (403, True)
    assert deployment.gateway.paths == []


def test_a_target_that_is_no_operation_goes_nowhere(deployment: Deployment) -> None:
    with proxying(deployment.url, any_caller=True) as proxy:
        scope = f"Credential={KEY}/20260101/{REGION}/cloudtrail/aws4_request"
        signed = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature={'0' * 64}"
        for target in ("", "CloudTrail_20131101.../etc", "DynamoDB_20120810.GetItem"):
            status, _, body = proxy.answer({"authorization": signed, "x-amz-target": target}, b"{}")
            assert (status, b"UnknownOperationException" in body) == (404, True)

    assert deployment.gateway.paths == []


def test_an_api_that_does_not_answer_is_a_service_that_is_unavailable() -> None:
    with proxying("http://127.0.0.1:9") as proxy:
        made = client(proxy)
        made.meta.events.register("needs-retry.cloudtrail", lambda **_: None)
        with pytest.raises(ClientError, match=r"\(ServiceUnavailable\)"):
            made.describe_trails()


def test_a_url_without_region_is_refused_at_the_start() -> None:
    answer = CliRunner().invoke(main, ["proxy", "--endpoint", "https://trails.example.com"])

    assert answer.exit_code == 1
    assert "does not name its Region" in answer.output
