"""Event history as delivery leaves it, in moto."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto import mock_aws

from tests.support.line import Line, session_clients


@pytest.fixture(scope="module")
def clients() -> Iterator[Callable[[str], Any]]:
    with mock_aws():
        yield session_clients()


@pytest.fixture
def line(clients: Callable[[str], Any]) -> Line:
    return Line(clients)
