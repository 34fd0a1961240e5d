"""The API on a loopback port in front of moto, for clients we did not write."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from opentrail.local.call import Call, Caller, ServiceHandler
from opentrail.local.cloudtrail import cloudtrail_service
from opentrail.local.tagging import tagging_service
from opentrail.local.transport import Clients

ACCOUNT = "123456789012"
REGION = "us-east-1"
MEMBER = "222222222222"


class Front:
    """CloudTrail's and the tagging API's targets go to our services, everything else to moto.

    The caller's account is the access key when that is twelve digits, as moto has it.
    """

    def __init__(self, moto: Any, services: Mapping[str, ServiceHandler]) -> None:
        self._moto = moto
        self._services = services

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        service = next((name for name in self._services if name in target.lower()), "")
        if not service:
            return self._moto(environ, start_response)
        request = Request(environ)
        reply = self._services[service](_to_call(request, service, target))
        response = Response(reply.body, reply.status, dict(reply.headers))
        return response(environ, start_response)


def _to_call(request: Request, service: str, target: str) -> Call:
    credential = request.headers.get("Authorization", "").partition("Credential=")[2].split("/")
    key, region = (credential[0], credential[2]) if len(credential) > 2 else ("", REGION)
    account = key if len(key) == 12 and key.isdigit() else ACCOUNT
    return Call(
        service=service,
        operation=target.rpartition(".")[2],
        parameters=json.loads(request.get_data() or b"{}") if service != "cloudtrail" else {},
        region=region,
        caller=Caller(account=account, arn=f"arn:aws:iam::{account}:user/eve", access_key=key, identity={}),
        method=request.method,
        path=request.path,
        query="",
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_data(),
        source_ip="127.0.0.1",
        arrived=datetime.now(UTC),
        event_id="",
        request_id="11111111-2222-3333-4444-555555555555",
    )


@dataclass(frozen=True)
class Laptop:
    """Where clients find the endpoint, and clients of our own."""

    endpoint: str
    clients: Clients

    def client(self, service: str, region: str = REGION, account: str = ACCOUNT) -> Any:
        """A plain boto3 client over the socket."""
        session: Any = boto3.Session(account, "secret", region_name=region)
        return session.client(service, endpoint_url=self.endpoint)

    def aws(self, *words: str, region: str = REGION) -> subprocess.CompletedProcess[str]:
        """Run the real aws-cli."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": self.endpoint,
        }
        command = [sys.executable, "-m", "awscli", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def moto_app() -> Any:
    return DomainDispatcherApplication(create_backend_app)


@pytest.fixture
def laptop(moto_app: Any) -> Iterator[Laptop]:
    """A fresh moto with the trails table and the signing key, served on a free port."""
    clients = Clients(moto_app, account=ACCOUNT, region=REGION)
    _reset(moto_app)
    for table in ("trails", "ledger"):
        clients("dynamodb").create_table(
            TableName=table,
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
    signing_key = clients("kms").create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    outputs = {
        "TrailsTableName": "trails",
        "HistoryTableName": "history",
        "LedgerTableName": "ledger",
        "SigningKeyId": signing_key["KeyId"],
    }
    services = {
        "cloudtrail": cloudtrail_service(clients, outputs),
        "resourcegroupstaggingapi": tagging_service(clients, outputs),
    }
    front = Front(moto_app, services)
    server = make_server("127.0.0.1", 0, front, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Laptop(f"http://127.0.0.1:{server.server_port}", clients)
    server.shutdown()
    thread.join()
    server.server_close()


def _reset(app: Any) -> None:
    from opentrail.local.transport import call_wsgi, wsgi_environ

    status, _, _ = call_wsgi(app, wsgi_environ("POST", "http://localhost/moto-api/reset", {}, b""))
    assert status == 200


@pytest.fixture
def make_bucket(laptop: Laptop) -> Callable[..., str]:
    """Make a bucket, with CloudTrail's policy for the account unless told otherwise."""

    def make(name: str = "audit-logs", *, policy: bool = True, prefix: str = "") -> str:
        s3 = laptop.clients("s3")
        s3.create_bucket(Bucket=name)
        if policy:
            s3.put_bucket_policy(Bucket=name, Policy=json.dumps(bucket_policy(name, prefix)))
        return name

    return make


def bucket_policy(bucket: str, prefix: str = "") -> dict[str, Any]:
    """The bucket policy of the user guide."""
    principal = {"Service": "cloudtrail.amazonaws.com"}
    folder = f"{prefix}/AWSLogs" if prefix else "AWSLogs"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AWSCloudTrailAclCheck20150319",
                "Effect": "Allow",
                "Principal": principal,
                "Action": "s3:GetBucketAcl",
                "Resource": f"arn:aws:s3:::{bucket}",
            },
            {
                "Sid": "AWSCloudTrailWrite20150319",
                "Effect": "Allow",
                "Principal": principal,
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{bucket}/{folder}/{ACCOUNT}/*",
                "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
            },
        ],
    }
