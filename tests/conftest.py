"""What every test shares: nothing of the machine's own AWS set-up may reach a test."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

# A shell starts background jobs deaf to Ctrl-C, and so their children, which tests end by it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Before any AWS client exists: no profile, no instance metadata, no account but the laptop's.
for variable in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[variable]
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
)


@pytest.fixture(scope="module", autouse=True)
def _no_world_left_open() -> Iterator[None]:
    """Fail the module whose ``mock_aws`` stays open: inside it, no later test starts from an empty AWS."""
    yield
    moto = sys.modules.get("moto.core.models")
    assert moto is None or moto.MockAWS._nested_count == 0


class _Files(LoadFileScheduling):  # type: ignore[misc]
    """One worker for each file, and one for all files about the stacks, where synthesis is what costs."""

    def _split_scope(self, nodeid: str) -> str:
        stacks = "tests/stacks/"
        return stacks if nodeid.startswith(stacks) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Files:
    """Give out the tests of ``-n 2``."""
    return _Files(config, log)
