"""The one place that makes AWS clients.

Endpoint, Region and credentials come from the environment as botocore reads it
(``AWS_ENDPOINT_URL`` on the laptop); retries are set once, here.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 4},
    connect_timeout=5,
    read_timeout=30,
    s3={"addressing_style": "path"},
)


@cache
def client(service: str, region: str = "") -> Any:
    """A client for ``service`` in ``region`` (the environment's when empty), one each per process."""
    make: Any = boto3.client  # its stubs know only literal names
    return make(service, config=_CONFIG, region_name=region or None)
