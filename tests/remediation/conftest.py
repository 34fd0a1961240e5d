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
    """The same; trails of earlier tests are gone, and what they set off and nobody waited for."""
    cloudtrail = laptop.client("cloudtrail")
    with laptop.runtime.unrecorded():  # a Region has room for five
        for trail in cloudtrail.describe_trails()["trailList"]:
            cloudtrail.delete_trail(Name=trail["TrailARN"])
    laptop.runtime.asynchronous.stop()
    laptop.forget()
    return laptop
