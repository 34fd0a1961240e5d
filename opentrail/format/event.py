"""A record's bytes -> the facts that route it. The bytes themselves are never rewritten.

Source: CloudTrail user guide, "CloudTrail record contents" and "userIdentity
element". Real records are looser than the guide (booleans as strings, absent
eventTime, accounts masked by their owner), so routing takes what is there and
asks only for an ``eventID``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec
from msgspec.structs import force_setattr as fill

from opentrail.errors import FormatError
from opentrail.format import loose
from opentrail.model.event import Event, Place, Resource

_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


class _Issuer(msgspec.Struct, frozen=True, gc=False):
    arn: str = ""


class _Session(msgspec.Struct, frozen=True, gc=False):
    issuer: _Issuer = msgspec.field(name="sessionIssuer", default=_Issuer())


class _Identity(msgspec.Struct, frozen=True, gc=False):
    arn: str = ""
    invoked_by: str = msgspec.field(name="invokedBy", default="")
    session: _Session = msgspec.field(name="sessionContext", default=_Session())


class _Resource(Resource, frozen=True, gc=False):
    type: str = ""
    arn: str = msgspec.field(name="ARN", default="")
    arn_prefix: str = msgspec.field(name="ARNPrefix", default="")


class _Insight(msgspec.Struct, gc=False):
    type: str = msgspec.field(name="insightType", default="")
    source: str = msgspec.field(name="eventSource", default="")
    name: str = msgspec.field(name="eventName", default="")
    trail: str = msgspec.field(name="insightSource", default="")


_NOBODY = _Identity()
_NOWHERE = Place("", "")


class _Record(Event, frozen=True, kw_only=True, gc=False):
    """An event decoded straight from a record, in the shapes nearly all records have.

    The first ten are no members of a record. ``parse_event`` sets each of them
    in any case, so that a record cannot.
    """

    raw: bytes = msgspec.field(name=" raw", default=b"")
    place: Place = msgspec.field(name=" place", default=_NOWHERE)
    arrived: Place = msgspec.field(name=" arrived", default=_NOWHERE)
    arrived_at: float = msgspec.field(name=" arrived_at", default=0.0)
    principal_arn: str = msgspec.field(name=" principal_arn", default="")
    issuer_arn: str = msgspec.field(name=" issuer_arn", default="")
    invoked_by: str = msgspec.field(name=" invoked_by", default="")
    insight_type: str = msgspec.field(name=" insight_type", default="")
    insight_source: str = msgspec.field(name=" insight_source", default="")
    from_console: bool = msgspec.field(name=" from_console", default=False)

    event_id: str = msgspec.field(name="eventID")
    time: str = msgspec.field(name="eventTime", default="")
    source: str = msgspec.field(name="eventSource", default="")
    name: str = msgspec.field(name="eventName", default="")
    category: str = msgspec.field(name="eventCategory", default="")
    event_type: str = msgspec.field(name="eventType", default="")
    read_only: bool = msgspec.field(name="readOnly", default=False)
    error_code: str = msgspec.field(name="errorCode", default="")
    vpc_endpoint_id: str = msgspec.field(name="vpcEndpointId", default="")
    resources: tuple[_Resource, ...] = ()

    region: str = msgspec.field(name="awsRegion", default="")
    recipient: str = msgspec.field(name="recipientAccountId", default="")
    management: bool | None = msgspec.field(name="managementEvent", default=None)
    identity: _Identity = msgspec.field(name="userIdentity", default=_NOBODY)
    console: str = msgspec.field(name="sessionCredentialFromConsole", default="")
    insight: _Insight | None = msgspec.field(name="insightDetails", default=None)


_strict = msgspec.json.Decoder(_Record)
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
    event = _read(raw)
    if not event.event_id:
        raise FormatError("record has no eventID")
    # Nobody else has the event yet, so its carrier's facts can still be filled in.
    fill(event, "raw", raw if b"\n" not in raw and b"\r" not in raw else _one_line(raw))
    fill(event, "arrived", arrived)
    fill(event, "arrived_at", arrived_at)
    fill(event, "place", _place(event.recipient, event.region, arrived))
    if not _TIME.fullmatch(event.time):
        fill(event, "time", arrived_time)
    if not event.category:
        fill(event, "category", "Data" if event.management is False else "Management")
    _fill_identity(event)
    fill(event, "insight_type", "" if event.insight is None else event.insight.type)
    fill(event, "insight_source", "" if event.insight is None else event.insight.trail)
    if event.insight is not None:  # it names its API one level down
        fill(event, "source", event.source or event.insight.source)
        fill(event, "name", event.name or event.insight.name)
    if event.resources and not all(resource.arn for resource in event.resources):
        fill(event, "resources", tuple(Resource(r.type, r.arn or r.arn_prefix) for r in event.resources))
    return event


def _fill_identity(event: _Record) -> None:
    identity = event.identity
    fill(event, "principal_arn", identity.arn)
    fill(event, "issuer_arn", identity.session.issuer.arn)
    fill(event, "invoked_by", identity.invoked_by)
    fill(event, "from_console", event.console == "true")


def _check_utf8(raw: bytes) -> None:
    # msgspec does not look into the fields it skips.
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"record is not UTF-8: {error}") from error


def _one_line(raw: bytes) -> bytes:
    # JSON allows raw line ends only between tokens, where any space will do.
    return raw.replace(b"\r", b" ").replace(b"\n", b" ")


@lru_cache(maxsize=4096)  # places are few; the bound keeps hostile records from filling memory
def _place(account: str, region: str, arrived: Place) -> Place:
    return Place(
        account if _ACCOUNT.fullmatch(account) else arrived.account,
        region if _REGION.fullmatch(region) else arrived.region,
    )


def _read(raw: bytes) -> _Record:
    try:
        return _strict.decode(raw)
    except msgspec.ValidationError:
        return _read_loosely(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FormatError(f"record is not JSON: {error}") from error


def _read_loosely(raw: bytes) -> _Record:
    """Take each field where its shape is usable and leave out the others."""
    try:
        members = loose.read_members(raw)
    except msgspec.ValidationError as error:
        raise FormatError(f"record is not a JSON object: {error}") from error
    except (msgspec.DecodeError, RecursionError) as error:  # further on than the strict reader came
        raise FormatError(f"record is not JSON: {error}") from error
    texts = loose.texts_of(members)
    if "eventID" not in texts:
        raise FormatError("record has no eventID")
    known: dict[str, Any] = {name: texts[name] for name in _TEXT_FIELDS if name in texts}
    known["managementEvent"] = loose.truth_of(members, "managementEvent")
    known["readOnly"] = loose.truth_of(members, "readOnly") is True
    known["userIdentity"] = _identity(loose.members_of(members, "userIdentity"))
    known["resources"] = [loose.texts_of(resource) for resource in loose.objects_of(members, "resources")]
    if insight := loose.members_of(members, "insightDetails"):
        known["insightDetails"] = loose.texts_of(insight)
    return msgspec.convert(known, _Record)


def _identity(identity: loose.Members) -> dict[str, Any]:
    issuer = loose.members_of(loose.members_of(identity, "sessionContext"), "sessionIssuer")
    return {**loose.texts_of(identity), "sessionContext": {"sessionIssuer": loose.texts_of(issuer)}}
