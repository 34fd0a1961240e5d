"""One laptop with the playbooks for all tests of a module; each test uses resources of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from opentrail.local.runtime import Options
from opentrail.testing.world import OpenTrail, opened


@pytest.fixture(scope="module")
def laptop() -> Iterator[OpenTrail]:
    """AWS in this process, with every playbook deployed and enforcing."""
    with opened(Options(remediation="enforce")) as world:
        yield world


@pytest.fixture
def aws(laptop: OpenTrail) -> OpenTrail:
    """The same; what earlier tests set off and nobody waited for is dropped."""
    laptop.runtime.asynchronous.stop()
    laptop.forget()
    return laptop
