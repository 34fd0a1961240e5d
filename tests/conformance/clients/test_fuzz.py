"""Whatever is sent to CloudTrail on the laptop's endpoint, the answer is its own: never a 5xx."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opentrail.api.service import service_model
from opentrail.local.call import Counters
from opentrail.local.cloudtrail import cloudtrail_service
from opentrail.local.gateway import Gateway
from opentrail.local.transport import Clients, send_request
from stacks.api_operations import OPERATIONS
from tests.conformance.clients.gateway import ACCOUNT, KEY, REGION, SECRET

PREFIX = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101."
WORDS = (
    "audit",
    "a",
    "",
    "x" * 300,
    f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit",
    "arn:aws:s3:::b",
    "é\u0000",
)


def scalars(shape: Any) -> st.SearchStrategy[Any]:
    """Values of a scalar shape, most of them of its type."""
    values: dict[str, st.SearchStrategy[Any]] = {
        "boolean": st.booleans(),
        "integer": st.integers(-1, 400),
        "long": st.integers(-1, 400),
        "timestamp": st.one_of(st.integers(-(10**12), 10**12), st.just(1.8e9)),
        "blob": st.sampled_from(("", "QQ==", "no base64")),
    }
    words = st.one_of(st.sampled_from((*WORDS, *getattr(shape, "enum", ()))), st.text(max_size=8))
    return values.get(shape.type_name, words)


def shaped(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values in the form of a botocore shape; its constraints are kept only by chance."""
    if shape.type_name == "structure":
        members = {name: shaped(member, depth + 1) for name, member in shape.members.items()}
        required = {name: members.pop(name) for name in shape.required_members}
        return st.fixed_dictionaries(required, optional=members)
    if shape.type_name == "list":
        return st.lists(shaped(shape.member, depth + 1), max_size=2)
    if shape.type_name == "map":
        return st.dictionaries(st.text(max_size=4), shaped(shape.value, depth + 1), max_size=2)
    return scalars(shape)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
SHAPED = st.sampled_from(OPERATIONS).flatmap(
    lambda name: st.tuples(
        st.just(PREFIX + name),
        shaped(service_model().operation_model(name).input_shape).map(lambda body: json.dumps(body).encode()),
    )
)
MALFORMED = st.tuples(
    st.sampled_from([PREFIX + name for name in ("CreateTrail", "GetTrail", "LookupEvents", "ListQueries")]),
    st.one_of(st.binary(max_size=40), JSON.map(lambda value: json.dumps(value).encode())),
)


@contextmanager
def serving(**options: int) -> Iterator[Gateway]:
    """The laptop's gateway with CloudTrail's API over a fresh moto."""
    from moto.moto_api._internal.models import moto_api_backend
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    moto = DomainDispatcherApplication(create_backend_app)
    moto_api_backend.reset()
    clients = Clients(moto, account=ACCOUNT, region=REGION)
    for table in ("trails", "history", "ledger"):
        clients("dynamodb").create_table(
            TableName=table,
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
    key = clients("kms").create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    outputs = {
        "TrailsTableName": "trails",
        "HistoryTableName": "history",
        "LedgerTableName": "ledger",
        "SigningKeyId": key,
    }
    yield Gateway(
        moto=moto,
        services={"cloudtrail": cloudtrail_service(clients, outputs, **options)},
        sink=lambda captured: None,
        counters=Counters(),
        default_account=ACCOUNT,
        default_region=REGION,
        unrecorded_roles=lambda: (),
    )
    moto_api_backend.reset()


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with serving() as found:
        yield found


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=st.one_of(SHAPED, MALFORMED))
def test_no_request_makes_it_fail(gateway: Gateway, request: tuple[str, bytes]) -> None:
    target, body = request

    status, answer = send(gateway, target, body)

    assert status < 500, (target, body, answer)
    assert status == 200 or "__type" in answer, (target, body, answer)


def test_lookups_are_throttled_where_that_is_asked_for() -> None:
    replies: list[tuple[int, Any]] = []
    with serving(lookups_per_second=2) as gateway:
        while len(replies) < 100 and all(status == 200 for status, _ in replies):
            replies.append(send(gateway, PREFIX + "LookupEvents", b"{}"))

    *answered, refused = replies
    assert answered[:2] == [(200, {"Events": []})] * 2
    assert refused == (400, {"__type": "ThrottlingException", "Message": "Rate exceeded"})


def send(gateway: Gateway, target: str, body: bytes) -> tuple[int, Any]:
    """Status and parsed answer of a signed request."""
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
    url = f"http://cloudtrail.{REGION}.amazonaws.com/"
    made = AWSRequest("POST", url, headers, body)
    SigV4Auth(Credentials(KEY, SECRET), "cloudtrail", REGION).add_auth(made)
    reply = send_request(gateway, made.prepare())
    return reply.status_code, json.loads(reply.content or b"{}")
