"""One deployer per test, over moto's empty backends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
import pytest
from moto import mock_aws

from opentrail.local.deployer import Engine, StackState, StackStore

ACCOUNT = "123456789012"
REGION = "us-east-1"
STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Clock:
    """A clock that moves one second at every look."""

    def __init__(self) -> None:
        self.time = STARTED

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


class Deployer:
    """An engine, and the short ways to drive it that tests need."""

    def __init__(self, clients: Any, *, region: str = REGION) -> None:
        self.clients = clients
        self.store = StackStore()
        self.engine = Engine(clients, account=ACCOUNT, region=region, store=self.store, now=Clock())

    def deploy(self, resources: dict[str, Any], name: str = "Stack", **sections: Any) -> StackState:
        """Deploy a template made of these resources."""
        parameters = sections.pop("given", {})
        return self.engine.deploy(name, {"Resources": resources, **sections}, parameters)

    def one(self, type_name: str, **properties: Any) -> str:
        """Deploy a stack that is one resource, called ``It``; return its physical id."""
        return self.physical_id(self.deploy({"It": resource(type_name, **properties)}), "It")

    def physical_id(self, state: StackState, logical_id: str) -> str:
        """Return the id the service knows a resource by."""
        return state.resources[logical_id].made.physical_id

    def statuses(self, name: str = "Stack") -> list[str]:
        """Return the events of a stack as ``logical id: status``."""
        state = self.store.get(name)
        assert state is not None
        return [f"{event.logical_id}: {event.status}" for event in state.events]


def resource(type_name: str, **properties: Any) -> dict[str, Any]:
    """Return one entry of a template's ``Resources``."""
    return {"Type": type_name, "Properties": properties}


def queues(deployer: Deployer) -> list[str]:
    """Return the names of the queues there are."""
    urls = deployer.clients("sqs").list_queues().get("QueueUrls", [])
    return sorted(url.rpartition("/")[2] for url in urls)


@cache
def _session() -> Any:
    return boto3.Session()


@cache
def client(service: str) -> Any:
    """Return a client kept for the whole run: making one costs more than most tests."""
    return _session().client(service, region_name=REGION)


@contextmanager
def requests_of(service: str, operation: str) -> Iterator[list[dict[str, Any]]]:
    """Collect the parameters of every call of an operation, for settings that moto does not show."""
    found: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        found.append(dict(params))

    service_id = client(service).meta.service_model.service_id.hyphenize()
    name = f"provide-client-params.{service_id}.{operation}"
    client(service).meta.events.register(name, note)
    try:
        yield found
    finally:
        client(service).meta.events.unregister(name, note)


@pytest.fixture
def deployer() -> Iterator[Deployer]:
    """Return a deployer whose account is empty."""
    with mock_aws():
        yield Deployer(client)
