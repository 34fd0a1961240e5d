"""moto behind the corrections, with hooks that only take notes, and unrecorded clients."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from opentrail.local import moto_patches
from opentrail.local.runtime import _moto_application
from opentrail.local.transport import Clients

ACCOUNT = "123456789012"
REGION = "us-east-1"


class Notes:
    """Hooks that remember what moto asked for."""

    def __init__(self) -> None:
        self.invoked: list[tuple[str, bytes, dict[str, str]]] = []
        self.entries: list[tuple[str, str, list[dict[str, Any]]]] = []
        self.published: list[tuple[str, str, dict[str, Any], list[Any] | None]] = []
        self.queues: list[str] = []

    def invoke_function(
        self, function: Any, payload: bytes, headers: Mapping[str, str], answer_headers: dict[str, Any]
    ) -> bytes:
        self.invoked.append((function.function_name, payload, dict(headers)))
        return b'"done"'

    def put_events(self, account: str, region: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.entries.append((account, region, entries))
        return [{"EventId": "e"} for _ in entries]

    def publish(self, account: str, region: str, event: dict[str, Any], *, rules: list[Any] | None) -> None:
        self.published.append((account, region, event, rules))

    def message_added(self, queue: Any) -> None:
        self.queues.append(queue.name)


@pytest.fixture(scope="session")
def _shared() -> tuple[Any, Clients]:
    # Made once: clients are dear, and moto's state is global anyway.
    application = _moto_application()
    return application, Clients(application, account=ACCOUNT, region=REGION)


@pytest.fixture
def moto_app(_shared: tuple[Any, Clients]) -> Iterator[Any]:
    """An empty moto without our corrections."""
    _forget()
    yield _shared[0]
    _forget()


@pytest.fixture
def notes(moto_app: Any) -> Iterator[Notes]:
    """The corrections, active, with hooks that take notes."""
    hooks = Notes()
    moto_patches.install(hooks, default_account=ACCOUNT)
    yield hooks
    moto_patches.uninstall(hooks)


@pytest.fixture
def clients(moto_app: Any, _shared: tuple[Any, Clients]) -> Clients:
    """Unrecorded clients of moto."""
    return _shared[1]


def _forget() -> None:
    from moto.moto_api._internal.models import moto_api_backend

    moto_api_backend.reset()


def package(**modules: str) -> bytes:
    """Zip modules given as ``name=source``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, source in modules.items():
            archive.writestr(f"{name}.py", source)
    return buffer.getvalue()


def make_function(clients: Clients, source: str, *, name: str = "worker", **settings: Any) -> str:
    """Create a Python function and its role; return its ARN."""
    iam = clients("iam")
    if not any(role["RoleName"] == name for role in iam.list_roles()["Roles"]):
        trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    answer = clients("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="main.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/{name}",
        Code={"ZipFile": package(main=source)},
        **{"Timeout": 20, **settings},
    )
    arn: str = answer["FunctionArn"]
    return arn


def make_queue(clients: Clients, name: str = "inbox", **attributes: str) -> tuple[str, str]:
    """Create a queue; return its URL and ARN."""
    url = clients("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    return url, arn


def bodies(clients: Clients, url: str) -> list[str]:
    """Receive everything visible on a queue."""
    found: list[str] = []
    while batch := clients("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in batch]
    return found
