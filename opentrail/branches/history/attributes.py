"""A record -> the values LookupEvents finds it by.

Source: CloudTrail API reference, LookupEvents and Event; who counts as
``Username`` was read off real answers: an IAM user's name, the session name of
an assumed role, ``root`` for the root user.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec


class Indexed(msgspec.Struct, gc=False):
    """The fields of a record that history indexes and Insights counts. Shapes are not trusted."""

    event_id: Any = msgspec.field(name="eventID", default=None)
    time: Any = msgspec.field(name="eventTime", default=None)
    source: Any = msgspec.field(name="eventSource", default=None)
    name: Any = msgspec.field(name="eventName", default=None)
    read_only: Any = msgspec.field(name="readOnly", default=None)
    error_code: Any = msgspec.field(name="errorCode", default=None)
    category: Any = msgspec.field(name="eventCategory", default=None)
    identity: Any = msgspec.field(name="userIdentity", default=None)
    resources: Any = None


def values_of(record: Indexed) -> Iterator[tuple[str, str]]:
    """``(AttributeKey, value)`` pairs of ``record``, text values only."""
    pairs = (
        ("EventId", record.event_id),
        ("EventName", record.name),
        ("EventSource", record.source),
        ("ReadOnly", "true" if record.read_only in (True, "true") else "false"),
        ("Username", user_name(record.identity)),
        ("AccessKeyId", _member(record.identity, "accessKeyId")),
    )
    for attribute, value in pairs:
        if isinstance(value, str) and value:
            yield attribute, value
    for resource in record.resources if isinstance(record.resources, list) else ():
        for attribute, member in (("ResourceName", "ARN"), ("ResourceType", "type")):
            value = _member(resource, member)
            if isinstance(value, str) and value:
                yield attribute, value


def user_name(identity: Any) -> str | None:
    """``Username`` of a ``userIdentity``; ``None`` where LookupEvents leaves it out."""
    kind, arn, name = (_member(identity, member) for member in ("type", "arn", "userName"))
    if kind == "Root":
        return "root"
    if kind == "AssumedRole" and isinstance(arn, str) and arn.count("/") >= 2:
        return arn.split("/", 2)[2]
    return name if isinstance(name, str) else None


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
