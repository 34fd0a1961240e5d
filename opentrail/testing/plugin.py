"""The pytest fixtures. Registered by the entry point ``pytest11``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from opentrail.local.runtime import Options
    from opentrail.testing.world import OpenTrail


@pytest.fixture
def opentrail_options() -> Options:
    """Account and Region of the fixture ``opentrail``; override it in a ``conftest.py`` to change them."""
    from opentrail.local.runtime import Options

    return Options()


@pytest.fixture
def opentrail(opentrail_options: Options) -> Iterator[OpenTrail]:
    """AWS with OpenTrail deployed in it, empty at the start of every test.

    Until the test ends every boto3 client of the process reaches it, whenever it was made.
    """
    from opentrail.testing.world import opened

    with opened(opentrail_options) as world:
        yield world
