"""A fresh moto for each test; one session is kept, because loading botocore's models costs 0.3 s."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from opentrail.model.trail import Trail

ACCOUNT = "123456789012"
ClientsFor = Callable[[str, str], Callable[[str], Any]]


@pytest.fixture(scope="session")
def session() -> Any:
    with mock_aws():
        return boto3.Session("testing", "testing")


@pytest.fixture
def clients_for(session: Any) -> Iterator[ClientsFor]:
    """AWS clients of any Region."""
    with mock_aws():

        def clients(account: str, region: str) -> Callable[[str], Any]:
            assert account == ACCOUNT
            return lambda service: session.client(service, region_name=region)

        yield clients


def make_trail(**changes: Any) -> Trail:
    """A plain trail, with what a test changes."""
    return Trail(**({"account": ACCOUNT, "home_region": "us-east-1", "name": "t1", "bucket": "b"} | changes))


def make_table(client: Any) -> None:
    """The trails table, as the stack makes it."""
    client.create_table(
        TableName="trails",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
