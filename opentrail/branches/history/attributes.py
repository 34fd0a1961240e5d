"""Records -> the values LookupEvents finds them by.

Source: CloudTrail API reference, LookupEvents and Event; who counts as
``Username`` was read off real answers: an IAM user's name, the session name of
an assumed role, ``root`` for the root user.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec


class Identity(msgspec.Struct, gc=False, frozen=True):
    """``userIdentity``, as far as lookups go."""

    type: str = ""
    arn: str = ""
    user_name: str = msgspec.field(name="userName", default="")
    access_key: str = msgspec.field(name="accessKeyId", default="")


class Resource(msgspec.Struct, gc=False, frozen=True):
    """One element of ``resources``."""

    type: str = ""
    arn: str = msgspec.field(name="ARN", default="")


class Indexed(msgspec.Struct, gc=False):
    """The members of a record that history indexes and Insights counts."""

    event_id: str = msgspec.field(name="eventID", default="")
    time: str = msgspec.field(name="eventTime", default="")
    source: str = msgspec.field(name="eventSource", default="")
    name: str = msgspec.field(name="eventName", default="")
    read_only: bool = msgspec.field(name="readOnly", default=False)
    error_code: str = msgspec.field(name="errorCode", default="")
    category: str = msgspec.field(name="eventCategory", default="")
    identity: Identity = msgspec.field(name="userIdentity", default=Identity())
    resources: tuple[Resource, ...] = ()


_strict = msgspec.json.Decoder(Indexed)
_any = msgspec.json.Decoder()
_FLAT = ("eventID", "eventTime", "eventSource", "eventName", "errorCode", "eventCategory")


def read_records(piece: bytes) -> list[Indexed]:
    """The records of an NDJSON piece. A member of another shape than CloudTrail's counts as absent."""
    try:
        return _strict.decode_lines(piece)
    except msgspec.ValidationError:
        return [_read_record(line) for line in piece.split(b"\n")]


def values_of(records: Sequence[Indexed]) -> dict[str, set[str]]:
    """Every distinct value of each AttributeKey in ``records``."""
    identities = {record.identity for record in records}
    resources = {resource for record in records for resource in record.resources}
    values = {
        "EventId": {record.event_id for record in records},
        "EventName": {record.name for record in records},
        "EventSource": {record.source for record in records},
        "ReadOnly": {"true" if record.read_only else "false" for record in records},
        "Username": {user_name(identity) for identity in identities},
        "AccessKeyId": {identity.access_key for identity in identities},
        "ResourceName": {resource.arn for resource in resources},
        "ResourceType": {resource.type for resource in resources},
    }
    for found in values.values():
        found.discard("")
    return values


def user_name(identity: Identity) -> str:
    """``Username`` of a ``userIdentity``; "" where LookupEvents leaves it out."""
    if identity.type == "Root":
        return "root"
    if identity.type == "AssumedRole" and identity.arn.count("/") >= 2:
        return identity.arn.split("/", 2)[2]
    return identity.user_name


def _read_record(line: bytes) -> Indexed:
    try:
        return _strict.decode(line)
    except msgspec.ValidationError:
        return _read_loosely(_any.decode(line))


def _read_loosely(record: dict[str, Any]) -> Indexed:
    known: dict[str, Any] = {name: record[name] for name in _FLAT if isinstance(record.get(name), str)}
    known["readOnly"] = record.get("readOnly") in (True, "true")
    known["userIdentity"] = _texts(record.get("userIdentity"))
    resources: Iterable[Any] = record["resources"] if isinstance(record.get("resources"), list) else ()
    known["resources"] = [_texts(resource) for resource in resources]
    return msgspec.convert(known, Indexed)


def _texts(value: Any) -> dict[str, str]:
    return {k: v for k, v in value.items() if isinstance(v, str)} if isinstance(value, dict) else {}
