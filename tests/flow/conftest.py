"""The line on moto, one moto world per module."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from opentrail.adapters.aws import clients as own_clients
from tests.support.audited import Audit, listed
from tests.support.line import Line, session_clients
from tests.support.records import REGION


@pytest.fixture(scope="module")
def clients() -> Iterator[Callable[[str], Any]]:
    with mock_aws():
        yield session_clients()


@pytest.fixture
def line(clients: Callable[[str], Any]) -> Line:
    return Line(clients)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Callable[[str], Any]]:
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    patch = pytest.MonkeyPatch()
    patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    patch.setenv("AWS_DEFAULT_REGION", REGION)
    patch.setenv("AWS_ACCESS_KEY_ID", "test")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    own_clients.client.cache_clear()
    session, made, lock = boto3.Session(region_name=REGION), {}, threading.Lock()

    def client(service: str) -> Any:
        with lock:
            if service not in made:
                make: Any = session.client
                made[service] = make(service, endpoint_url=f"http://{host}:{port}")
            return made[service]

    yield client
    own_clients.client.cache_clear()
    patch.undo()
    server.stop()


@pytest.fixture
def audit(endpoint: Callable[[str], Any], tmp_path: Path) -> Audit:
    line = Line(endpoint)
    trail = line.start_trail()
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"PublicKeyList": [listed(endpoint("kms"), line.key_id)]}))
    made = Audit(line, trail.arn, keys)
    made.close_hours(4)
    return made
