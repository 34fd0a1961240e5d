"""A history in memory, and a way to ask it."""

from __future__ import annotations

import pytest

from tests.support.history import FakeHistory


@pytest.fixture
def history() -> FakeHistory:
    return FakeHistory()
