"""A real ``opentrail up`` for the whole module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.laptop.conftest import BIN, Laptop, environment, serving


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """``opentrail up`` on a free port."""
    folder = tmp_path_factory.mktemp("laptop")
    with serving([BIN / "opentrail", "up", "--port", "0"], environment(), folder) as running:
        yield running
