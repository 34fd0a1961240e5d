"""What callers may name and moto may not know: never a 5xx."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from opentrail.api.app import ApiRequest, CloudTrailApi
from opentrail.local.cloudtrail import make_ports
from tests.adapters.api.conftest import ACCOUNT, ClientsFor, make_table
from tests.unit.api.fakes import bucket_policy

HOME = "us-east-1"
GROUP = f"arn:aws:logs:{HOME}:{ACCOUNT}:log-group:trail:*"
OUTPUTS = {
    "TrailsTableName": "trails",
    "LedgerTableName": "ledger",
    "HistoryTableName": "history",
    "SigningKeyId": "none",
}
Ask = Callable[..., tuple[int, str]]


class AllClients:
    """The laptop's client factory over mock_aws, where every account is the same."""

    region = HOME

    def __init__(self, clients_for: ClientsFor) -> None:
        self._clients_for = clients_for

    def __call__(self, service: str, *, region: str = "", account: str = "") -> Any:
        return self._clients_for(ACCOUNT, region or HOME)(service)


@pytest.fixture
def ask(clients_for: ClientsFor) -> Ask:
    clients = AllClients(clients_for)
    make_table(clients("dynamodb"))
    clients("s3").create_bucket(Bucket="audit-logs")
    clients("s3").put_bucket_policy(Bucket="audit-logs", Policy=json.dumps(bucket_policy("audit-logs")))
    clients("logs").create_log_group(logGroupName="trail")
    api = CloudTrailApi(make_ports(clients, OUTPUTS))

    def create(**members: Any) -> tuple[int, str]:
        given = {"Name": "audit", "S3BucketName": "audit-logs"} | members
        reply = api.answer(
            ApiRequest(
                target="CreateTrail",
                body=json.dumps(given).encode(),
                account=ACCOUNT,
                region=HOME,
                caller_arn=f"arn:aws:iam::{ACCOUNT}:user/eve",
                now=datetime(2026, 1, 10, tzinfo=UTC),
            )
        )
        assert reply.failure == ""
        return reply.status, json.loads(reply.body).get("__type", "")

    return create


@pytest.mark.parametrize(
    "topic",
    [
        "arn:aws:sns:nowhere-9:123456789012:news",
        "arn:aws-cn:sns:cn-north-1:123456789012:news",
        "arn:aws:sns:-:123456789012:n",
        "arn:aws:sns:aws-global:123456789012:n",
        "a" * 256,
    ],
)
def test_topics(ask: Ask, topic: str) -> None:
    assert ask(SnsTopicName=topic) == (400, "InsufficientSnsTopicPolicyException")


@pytest.mark.parametrize(
    "key",
    [
        "arn:aws:kms:mars-1:123456789012:key/x",
        "arn:aws:kms:-:123456789012:key/x",
        "alias/nothing",
        "alias/a//b",
        "mrk-" + "0" * 32,
        "key/x",
        "arn:aws:kms:us-east-1:123456789012:alias/x",
    ],
)
def test_keys(ask: Ask, key: str) -> None:
    assert ask(KmsKeyId=key) == (400, "KmsKeyNotFoundException")


@pytest.mark.parametrize(
    "role",
    [
        "arn:aws:iam::999999999999:role/x",
        "arn:aws:iam::123456789012:role/" + "x" * 200,
        "arn:aws:iam::123456789012:role/x/",
        "arn:aws:iam::123456789012:role//x",
        "arn:aws:iam::123456789012:role/a b",
        "arn:aws:iam::123456789012:role/=,@",
        "arn:aws:iam::123456789012:role/é",
    ],
)
def test_roles(ask: Ask, role: str) -> None:
    answer = ask(CloudWatchLogsLogGroupArn=GROUP, CloudWatchLogsRoleArn=role)

    assert answer == (400, "InvalidCloudWatchLogsRoleArnException")


@pytest.mark.parametrize("bucket", ["a.b.c", "aaa", "a--b", "0" * 63, "1.2.3.4.5"])
def test_buckets(ask: Ask, bucket: str) -> None:
    assert ask(S3BucketName=bucket) == (400, "S3BucketDoesNotExistException")


@pytest.mark.parametrize(
    ("prefix", "code"),
    [
        ("p/", "InsufficientS3BucketPolicyException"),
        ("é", "InsufficientS3BucketPolicyException"),
        ("..", "InsufficientS3BucketPolicyException"),
        ("\0", "InvalidS3PrefixException"),
        ("a\nb", "InvalidS3PrefixException"),
    ],
)
def test_prefixes(ask: Ask, prefix: str, code: str) -> None:
    assert ask(S3KeyPrefix=prefix) == (400, code)
