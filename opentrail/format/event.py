"""A record's bytes -> the facts that route it. The bytes themselves are never rewritten.

Source: CloudTrail user guide, "CloudTrail record contents" and "userIdentity
element". Real records are looser than the guide (booleans as strings, absent
eventTime, accounts masked by their owner), so routing takes what is there and
asks only for an ``eventID``.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from opentrail.errors import FormatError
from opentrail.model.event import Event, Place, Resource

_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d{1,2}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class _Issuer(msgspec.Struct, gc=False):
    arn: str = ""


class _Session(msgspec.Struct, gc=False):
    issuer: _Issuer = msgspec.field(name="sessionIssuer", default_factory=_Issuer)


class _Identity(msgspec.Struct, gc=False):
    arn: str = ""
    invoked_by: str = msgspec.field(name="invokedBy", default="")
    session: _Session = msgspec.field(name="sessionContext", default_factory=_Session)


class _Resource(msgspec.Struct, gc=False):
    type: str = ""
    arn: str = msgspec.field(name="ARN", default="")
    arn_prefix: str = msgspec.field(name="ARNPrefix", default="")


class _Insight(msgspec.Struct, gc=False):
    type: str = msgspec.field(name="insightType", default="")
    source: str = msgspec.field(name="eventSource", default="")
    name: str = msgspec.field(name="eventName", default="")


class _Head(msgspec.Struct, gc=False):
    """The fields that route a record, in the shapes nearly all records have."""

    event_id: str = msgspec.field(name="eventID")
    time: str = msgspec.field(name="eventTime", default="")
    source: str = msgspec.field(name="eventSource", default="")
    name: str = msgspec.field(name="eventName", default="")
    region: str = msgspec.field(name="awsRegion", default="")
    recipient: str = msgspec.field(name="recipientAccountId", default="")
    category: str = msgspec.field(name="eventCategory", default="")
    event_type: str = msgspec.field(name="eventType", default="")
    management: bool | None = msgspec.field(name="managementEvent", default=None)
    read_only: bool | None = msgspec.field(name="readOnly", default=None)
    error_code: str = msgspec.field(name="errorCode", default="")
    identity: _Identity = msgspec.field(name="userIdentity", default_factory=_Identity)
    from_console: str = msgspec.field(name="sessionCredentialFromConsole", default="")
    vpc_endpoint_id: str = msgspec.field(name="vpcEndpointId", default="")
    resources: list[_Resource] = []
    insight: _Insight | None = msgspec.field(name="insightDetails", default=None)


_strict = msgspec.json.Decoder(_Head)
_any = msgspec.json.Decoder()
_TEXT_FIELDS = (
    *("eventID", "eventTime", "eventSource", "eventName", "awsRegion", "recipientAccountId"),
    *("eventCategory", "eventType", "errorCode", "sessionCredentialFromConsole", "vpcEndpointId"),
)


def parse_event(raw: bytes, *, arrived: Place, arrived_at: float, arrived_time: str) -> Event:
    """Read the routing facts of one record.

    The record goes under its own account and Region where it names them
    properly, else under those it arrived by; the same holds for its time.
    A record that calls itself neither ``Data`` nor ``Management`` is a
    management event, as all were before eventVersion 1.07, unless
    ``managementEvent`` is false.

    Args:
        raw: one JSON object, UTF-8.
        arrived: account and Region of the bus that carried it.
        arrived_at: epoch seconds with milliseconds.
        arrived_time: the carrier's own time, ``2026-01-10T04:20:31Z``.

    Raises:
        FormatError: not UTF-8, not a JSON object, or without an eventID.
    """
    if not raw.isascii():
        _check_utf8(raw)
    head = _read(raw)
    if not head.event_id:
        raise FormatError("record has no eventID")
    insight = head.insight
    return Event(
        raw=raw if b"\n" not in raw and b"\r" not in raw else _one_line(raw),
        place=_place(head, arrived),
        arrived=arrived,
        arrived_at=arrived_at,
        event_id=head.event_id,
        time=head.time if _TIME.fullmatch(head.time) else arrived_time,
        source=head.source or (insight.source if insight else ""),
        name=head.name or (insight.name if insight else ""),
        category=head.category or ("Data" if head.management is False else "Management"),
        event_type=head.event_type,
        read_only=head.read_only is True,
        error_code=head.error_code,
        principal_arn=head.identity.arn,
        issuer_arn=head.identity.session.issuer.arn,
        invoked_by=head.identity.invoked_by,
        from_console=head.from_console == "true",
        vpc_endpoint_id=head.vpc_endpoint_id,
        insight_type=insight.type if insight else "",
        resources=tuple(Resource(r.type, r.arn or r.arn_prefix) for r in head.resources),
    )


def _check_utf8(raw: bytes) -> None:
    # msgspec does not look into the fields it skips.
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"record is not UTF-8: {error}") from error


def _one_line(raw: bytes) -> bytes:
    # JSON allows raw line ends only between tokens, where any space will do.
    return raw.replace(b"\r", b" ").replace(b"\n", b" ")


def _place(head: _Head, arrived: Place) -> Place:
    account = head.recipient if _ACCOUNT.fullmatch(head.recipient) else arrived.account
    region = head.region if _REGION.fullmatch(head.region) else arrived.region
    return arrived if (account, region) == arrived else Place(account, region)


def _read(raw: bytes) -> _Head:
    try:
        return _strict.decode(raw)
    except msgspec.ValidationError:
        return _read_loosely(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FormatError(f"record is not JSON: {error}") from error


def _read_loosely(raw: bytes) -> _Head:
    """Take each field where its shape is usable and leave out the others."""
    try:
        record = _any.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FormatError(f"record is not JSON: {error}") from error
    if not isinstance(record, dict):
        raise FormatError(f"record is not a JSON object but {type(record).__name__}")
    known: dict[str, Any] = {f: record[f] for f in _TEXT_FIELDS if isinstance(record.get(f), str)}
    if "eventID" not in known:
        raise FormatError("record has no eventID")
    known["managementEvent"] = _truth(record.get("managementEvent"))
    known["readOnly"] = _truth(record.get("readOnly"))
    known["userIdentity"] = _identity(_object(record.get("userIdentity")))
    known["resources"] = [_strings(r) for r in _array(record.get("resources"))]
    if isinstance(record.get("insightDetails"), dict):
        known["insightDetails"] = _strings(record["insightDetails"])
    return msgspec.convert(known, _Head)


def _identity(identity: dict[str, Any]) -> dict[str, Any]:
    issuer = _object(_object(identity.get("sessionContext")).get("sessionIssuer"))
    return {**_strings(identity), "sessionContext": {"sessionIssuer": _strings(issuer)}}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _array(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _strings(value: Any) -> dict[str, str]:
    return {k: v for k, v in _object(value).items() if isinstance(v, str)}


def _truth(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None
