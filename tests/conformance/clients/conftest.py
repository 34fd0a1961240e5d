"""The api function over moto, behind a stand-in for API Gateway that checks signatures."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from lambdas.api.handler import Endpoint, build
from opentrail.local.transport import Clients
from opentrail.settings import ApiSettings
from tests.conformance.api.conftest import bucket_policy
from tests.conformance.clients.gateway import ACCOUNT, KEY, REGION, SECRET, ExecuteApi, served

BUCKET = "audit-logs"


@dataclass(frozen=True)
class Deployment:
    """The API as deployed: its URL, what stands behind it, and a user's session."""

    url: str
    gateway: ExecuteApi

    def session(self, secret: str = SECRET, region: str = REGION) -> Any:
        """A session of the one user there is."""
        return boto3.Session(KEY, secret, region_name=region)


class OneAtATime:
    """A boto3 client whose calls wait for one another."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(**arguments: Any) -> Any:
            with self._lock:
                return method(**arguments)

        return call


@pytest.fixture(scope="session")
def moto_app() -> Any:
    return DomainDispatcherApplication(create_backend_app)


@pytest.fixture
def function(moto_app: Any) -> Endpoint:
    """The function over a fresh moto that has its table, its key and a bucket for trails."""
    from moto.moto_api._internal.models import moto_api_backend

    moto_api_backend.reset()
    clients = Clients(moto_app, account=ACCOUNT, region=REGION)
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    for table in ("trails", "history", "ledger"):
        clients("dynamodb").create_table(
            TableName=table,
            KeySchema=keys,
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
    key = clients("kms").create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    clients("s3").create_bucket(Bucket=BUCKET)
    clients("s3").put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(bucket_policy(BUCKET)))
    settings = ApiSettings(
        trails_table="trails",
        history_table="history",
        ledger_table="ledger",
        signing_key_id=key,
        lookups_per_second=2,
    )
    # DynamoDB checks a condition and writes in one step; moto lets another thread in between.
    dynamodb = OneAtATime(clients("dynamodb"))

    def client(service: str, region: str = "") -> Any:
        return dynamodb if service == "dynamodb" else clients(service, region=region)

    return build(settings, client, region=REGION)


@pytest.fixture
def deployment(function: Endpoint) -> Iterator[Deployment]:
    """The API on a loopback port."""
    gateway = ExecuteApi(function)
    with served(gateway) as url:
        yield Deployment(url, gateway)
