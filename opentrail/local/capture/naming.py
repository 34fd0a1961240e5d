"""eventSource, eventName, Region and apiVersion of an operation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from opentrail.local.capture.operation import service_model
from opentrail.local.capture.tables import table

PATH_DATE = re.compile(r"^/(\d{4})-(\d{2})-(\d{2})/")
DOMAIN = ".amazonaws.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What an operation is called in a record."""

    event_source: str  # "iam.amazonaws.com"
    event_name: str
    region: str  # "" when the record is in the Region of the call
    api_version: str  # "" when records of this service carry none


@cache
def naming_of(service: str, operation: str) -> Naming:
    """Look an operation up in ``services.toml`` and ``event_names.toml``."""
    row = table("services").get(service, {})
    names = table("event_names").get(service, {})
    return Naming(
        event_source=row.get("event_source") or default_source(service),
        event_name=names.get(operation) or _versioned(service, operation),
        region=row.get("region", ""),
        api_version=_api_version(service, row.get("api_version", False)),
    )


def default_source(service: str) -> str:
    """``<signing name>.amazonaws.com``, which is right for nearly every service."""
    return service_model(service).signing_name + DOMAIN


def style_row(service: str) -> dict[str, Any]:
    """The row of ``services.toml``; empty for a service that follows every default."""
    row: dict[str, Any] = table("services").get(service, {})
    return row


def _versioned(service: str, operation: str) -> str:
    """The operation as its service's records write it: some add a date, some a lower-case letter."""
    if style_row(service).get("lower_names"):
        return operation[:1].lower() + operation[1:]
    if not style_row(service).get("dated_names"):
        return operation
    match = PATH_DATE.match(service_model(service).operation_model(operation).http["requestUri"])
    return operation + "".join(match.groups()) if match else operation


def _api_version(service: str, setting: bool | str) -> str:
    if isinstance(setting, str):
        return setting
    return service_model(service).api_version if setting else ""
