"""In-process clients: every protocol, bodies and names as they are, accounts and Regions."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from opentrail.local.transport import Clients, in_process_session
from tests.adapters.local.conftest import ACCOUNT


def test_every_protocol_gets_through(clients: Clients) -> None:
    assert clients("sts").get_caller_identity()["Account"] == ACCOUNT  # query
    assert clients("ec2").describe_vpcs()["Vpcs"]  # ec2
    assert clients("dynamodb").list_tables()["TableNames"] == []  # json
    assert clients("lambda").list_functions()["Functions"] == []  # rest-json
    assert clients("s3").list_buckets()["Buckets"] == []  # rest-xml


@pytest.mark.parametrize("key", ["plain", "a b+c&d=e?f#g", "\u00fcml\u00e4ut/\u65e5\u672c", "a//b", "100%"])
def test_keys_arrive_as_they_are(clients: Clients, key: str) -> None:
    s3 = clients("s3")
    s3.create_bucket(Bucket="audit-logs")

    s3.put_object(Bucket="audit-logs", Key=key, Body=b"x")

    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="audit-logs")["Contents"]] == [key]
    assert s3.get_object(Bucket="audit-logs", Key=key)["Body"].read() == b"x"


@pytest.mark.parametrize("body", [b"", b"\x00\xff" * 5000, "text", io.BytesIO(b"file" * 100_000)])
def test_bodies_arrive_as_they_are(clients: Clients, body: Any) -> None:
    s3 = clients("s3")
    s3.create_bucket(Bucket="audit-logs")
    expected = (
        body.getvalue() if isinstance(body, io.BytesIO) else body.encode() if isinstance(body, str) else body
    )

    s3.put_object(Bucket="audit-logs", Key="k", Body=body, Metadata={"why": "because"})

    answer = s3.get_object(Bucket="audit-logs", Key="k")
    assert answer["Body"].read() == expected
    assert answer["Metadata"] == {"why": "because"}


def test_errors_are_typed(clients: Clients) -> None:
    with pytest.raises(ClientError) as error:
        clients("s3").get_object(Bucket="absent-bucket", Key="k")

    assert error.value.response["Error"]["Code"] == "NoSuchBucket"


def test_accounts_and_regions_are_apart(clients: Clients) -> None:
    clients("sqs", account="111122223333", region="eu-west-1").create_queue(QueueName="theirs")

    assert clients("sqs").list_queues().get("QueueUrls") is None
    (url,) = clients("sqs", account="111122223333", region="eu-west-1").list_queues()["QueueUrls"]
    assert url == "http://localhost/111122223333/theirs"


def test_clients_are_made_once_even_by_many_threads(moto_app: Any) -> None:
    made = Clients(moto_app, account=ACCOUNT, region="us-east-1")
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(made("sqs"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(client) for client in found}) == 1


def test_a_profile_of_the_host_does_not_matter(moto_app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "not-there")

    clients = Clients(moto_app, account=ACCOUNT, region="us-east-1")

    assert clients("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_application_sees_the_signed_request() -> None:
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        seen.update(environ, body=environ["wsgi.input"].read())
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b'{"QueueUrls": ["u"]}']

    session: Any = in_process_session(application, region="eu-west-1")
    client = session.client(
        "sqs", endpoint_url="http://localhost:1", aws_access_key_id="AKIA1", aws_secret_access_key="s"
    )

    answer = client.list_queues(QueueNamePrefix="a")

    assert answer["QueueUrls"] == ["u"]
    assert seen["body"] == b'{"QueueNamePrefix": "a"}'
    assert seen["HTTP_HOST"] == "localhost:1"
    assert "Credential=AKIA1/" in seen["HTTP_AUTHORIZATION"]
    assert "/eu-west-1/sqs/" in seen["HTTP_AUTHORIZATION"]
