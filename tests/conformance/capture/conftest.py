"""A laptop for each test: moto's state is reset, the gateway is new."""

from __future__ import annotations

import pytest
from moto.moto_api._internal.models import moto_api_backend

from tests.conformance.capture.oracle import Laptop


@pytest.fixture
def laptop() -> Laptop:
    moto_api_backend.reset()
    return Laptop()
