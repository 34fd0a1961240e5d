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
def client(service: str, region: str = "", *, agent: str = "") -> Any:
    """A client for ``service`` in ``region`` (the environment's when empty), one each per process.

    Args:
        service: botocore's name of it.
        region: the environment's when empty.
        agent: added to the user agent, by which a caller finds its own calls in records.
    """
    make: Any = boto3.client  # its stubs know only literal names
    config = _CONFIG.merge(Config(user_agent_extra=agent)) if agent else _CONFIG
    return make(service, config=config, region_name=region or None)
