"""One moto for the file; sessions are kept because loading botocore's models anew costs 0.3 s a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

ACCOUNT = "123456789012"


@pytest.fixture
def clients_for() -> Iterator[Callable[[str, str], Callable[[str], Any]]]:
    """AWS clients of any account and Region, on a fresh moto."""
    with mock_aws():
        session: Any = boto3.Session("testing", "testing")

        def clients(account: str, region: str) -> Callable[[str], Any]:
            return lambda service: session.client(service, region_name=region)

        yield clients
