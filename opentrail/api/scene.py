"""Who asks, where and when: what every action is given besides its input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opentrail.api.ports import Ports

_PARTITIONS = {
    "cn": "aws-cn",
    "eu-isoe": "aws-iso-e",
    "eusc-de": "aws-eusc",
    "us-gov": "aws-us-gov",
    "us-iso": "aws-iso",
    "us-isob": "aws-iso-b",
    "us-isof": "aws-iso-f",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One authenticated request's surroundings. ``now`` is UTC."""

    account: str
    region: str
    caller_arn: str
    now: datetime
    ports: Ports

    @property
    def seconds(self) -> float:
        """``now`` as epoch seconds with milliseconds."""
        return round(self.now.timestamp(), 3)

    @property
    def partition(self) -> str:
        """The partition ``region`` is in: ``aws``, ``aws-cn``..."""
        return _PARTITIONS.get(self.region.rsplit("-", 2)[0], "aws")


Action = Callable[[Scene, Mapping[str, Any]], Mapping[str, Any]]
