"""The functions as Lambda calls them: settings in the environment, clients of their own, on moto."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from moto import mock_aws

from lambdas.deliver import handler as deliver
from lambdas.digest import handler as digest
from lambdas.ingest import handler as ingest
from lambdas.record import handler as record
from lambdas.rotate import handler as rotate
from opentrail.adapters.aws.clients import client
from opentrail.settings import Settings
from tests.support.line import Line, session_clients


@dataclass
class Context:
    """What Powertools reads of a Lambda context."""

    function_name: str = "function"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        """As if there were always time."""
        return 60_000


Invoke = Callable[[Any, Settings, dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def clients() -> Iterator[Callable[[str], Any]]:
    with mock_aws():
        yield session_clients()


@pytest.fixture
def line(clients: Callable[[str], Any]) -> Line:
    return Line(clients)


@pytest.fixture
def invoke(line: Line, monkeypatch: pytest.MonkeyPatch) -> Iterator[Invoke]:
    """Run a function's handler in a container of its own, with these settings."""

    def run(module: Any, settings: Settings, event: dict[str, Any]) -> dict[str, Any]:
        for name, value in settings.to_env().items():
            monkeypatch.setenv(name, value)
        answer: dict[str, Any] = module.handler(event, Context())
        return answer

    yield run
    for module in (record, deliver, digest, ingest, rotate):
        module.wired.cache_clear()
    client.cache_clear()


def sqs_batch(*bodies: str, sent: str = "1768018831500") -> dict[str, Any]:
    """What Lambda hands over from a queue; messages are m0, m1, ..."""
    records = [
        {"messageId": f"m{i}", "body": body, "attributes": {"SentTimestamp": sent}}
        for i, body in enumerate(bodies)
    ]
    return {"Records": records}
