"""Records -> the values LookupEvents shows and finds them by.

Source: CloudTrail API reference, LookupEvents and Event; who counts as
``Username`` was read off real answers: an IAM user's name, the session name of
an assumed role, ``root`` for the root user.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec

from opentrail.branches.history.resources import Named, own_resources_of, resources_of
from opentrail.format import loose
from opentrail.format.own_record import EVENT_SOURCE

_NULL = msgspec.Raw(b"null")

INSIGHT = "Insight"
ROOT = "root"  # Username of the root user, whose record does not say so


class Identity(msgspec.Struct, gc=False, frozen=True):
    """``userIdentity``, as far as lookups go."""

    type: str = ""
    arn: str = ""
    user_name: str = msgspec.field(name="userName", default="")
    access_key: str = msgspec.field(name="accessKeyId", default="")
    principal: str = msgspec.field(name="principalId", default="")


class Insight(msgspec.Struct, gc=False, frozen=True):
    """``insightDetails``: an Insights record says there what was called."""

    source: str = msgspec.field(name="eventSource", default="")
    name: str = msgspec.field(name="eventName", default="")
    type: str = msgspec.field(name="insightType", default="")
    trail: str = msgspec.field(name="insightSource", default="")  # ARN; "" for management events


class Resource(msgspec.Struct, gc=False, frozen=True):
    """One of ``resources``."""

    arn: str = msgspec.field(name="ARN", default="")
    arn_prefix: str = msgspec.field(name="ARNPrefix", default="")


class Indexed(msgspec.Struct, gc=False):
    """The members of a record that history indexes and Insights counts."""

    event_id: str = msgspec.field(name="eventID", default="")
    time: str = msgspec.field(name="eventTime", default="")
    source: str = msgspec.field(name="eventSource", default="")
    name: str = msgspec.field(name="eventName", default="")
    read_only: bool = msgspec.field(name="readOnly", default=False)
    error_code: str = msgspec.field(name="errorCode", default="")
    category: str = msgspec.field(name="eventCategory", default="")
    user_agent: str = msgspec.field(name="userAgent", default="")
    identity: Identity = msgspec.field(name="userIdentity", default=Identity())
    touched: tuple[Resource, ...] = msgspec.field(name="resources", default=())
    insight: Insight | None = msgspec.field(name="insightDetails", default=None)
    request: msgspec.Raw = msgspec.field(name="requestParameters", default=_NULL)
    response: msgspec.Raw = msgspec.field(name="responseElements", default=_NULL)
    details: msgspec.Raw = msgspec.field(name="serviceEventDetails", default=_NULL)

    def __post_init__(self) -> None:
        if self.insight is not None:
            self.source, self.name = self.insight.source, self.insight.name

    @property
    def is_insight(self) -> bool:
        """True for an Insights record, which LookupEvents answers only when asked for."""
        return self.category == INSIGHT

    @property
    def arns(self) -> set[str]:
        """The ARNs the record names as ``resources``, of some kinds only what they begin with."""
        return {resource.arn or resource.arn_prefix for resource in self.touched}

    @property
    def resources(self) -> tuple[Named, ...]:
        """What LookupEvents answers as ``Resources``."""
        if self.is_insight:
            return ()
        if self.source == EVENT_SOURCE:
            return own_resources_of(self.details)
        return resources_of(self.source, self.name, self.request, self.response)


_strict = msgspec.json.Decoder(Indexed)
_FLAT = ("eventID", "eventTime", "eventSource", "eventName", "errorCode", "eventCategory", "userAgent")


def read_records(piece: bytes) -> list[Indexed]:
    """The records of an NDJSON piece. A member of another shape than CloudTrail's counts as absent."""
    try:
        return _strict.decode_lines(piece)
    except (msgspec.DecodeError, RecursionError):
        return [read_record(line) for line in piece.split(b"\n")]


def read_record(line: bytes) -> Indexed:
    """One record, which is known to be JSON.

    Nested so deeply that it cannot be read here, although it could where it was
    recorded, it counts as empty: it must not hold up the records beside it.
    """
    try:
        try:
            return _strict.decode(line)
        except msgspec.ValidationError:
            return _read_loosely(loose.read_members(line))
    except (msgspec.DecodeError, RecursionError):
        return Indexed()


def values_of(records: Sequence[Indexed]) -> dict[str, set[str]]:
    """Every distinct value of each AttributeKey in ``records``."""
    identities = {record.identity for record in records}
    resources = {resource for record in records for resource in record.resources}
    values = {
        "EventId": {record.event_id for record in records},
        "EventName": {record.name for record in records},
        "EventSource": {record.source for record in records},
        "ReadOnly": {read_only(record) for record in records},
        "Username": {user_name(identity) for identity in identities},
        "AccessKeyId": {identity.access_key for identity in identities},
        "ResourceName": {resource.name for resource in resources},
        "ResourceType": {resource.type for resource in resources},
    }
    for found in values.values():
        found.discard("")
    return values


def has_value(record: Indexed, attribute: str, value: str) -> bool:
    """True when a lookup by this AttributeKey finds ``record``: compared as it is, letter case and all."""
    return value in _VALUES[attribute](record)


def read_only(record: Indexed) -> str:
    """``ReadOnly`` as LookupEvents spells it; "" for an Insights record, which is neither."""
    if record.is_insight:
        return ""
    return "true" if record.read_only else "false"


def user_name(identity: Identity) -> str:
    """``Username`` of a ``userIdentity``; "" where LookupEvents leaves it out."""
    if identity.type == "Root":
        return ROOT
    if identity.type == "AssumedRole":
        return _after(identity.arn, "/", 2) or _after(identity.principal, ":", 1)
    if identity.type == "FederatedUser" and not identity.user_name:
        return _after(identity.arn, "/", 1)
    return identity.user_name


def _after(text: str, separator: str, count: int) -> str:
    """What follows the first ``count`` separators, "" when there are fewer."""
    parts = text.split(separator, count)
    return parts[count] if len(parts) > count else ""


def _read_loosely(members: loose.Members) -> Indexed:
    texts = loose.texts_of(members)
    known: dict[str, Any] = {name: texts[name] for name in _FLAT if name in texts}
    known["readOnly"] = loose.truth_of(members, "readOnly") is True
    known["userIdentity"] = loose.texts_of(loose.members_of(members, "userIdentity"))
    if insight := loose.members_of(members, "insightDetails"):
        known["insightDetails"] = loose.texts_of(insight)
    known["resources"] = [loose.texts_of(found) for found in loose.objects_of(members, "resources")]
    for name in ("requestParameters", "responseElements", "serviceEventDetails"):
        known[name] = members.get(name, _NULL)
    return msgspec.convert(known, Indexed)


_VALUES: dict[str, Callable[[Indexed], Collection[str]]] = {
    "EventId": lambda record: (record.event_id,),
    "EventName": lambda record: (record.name,),
    "EventSource": lambda record: (record.source,),
    "ReadOnly": lambda record: (read_only(record),),
    "Username": lambda record: (user_name(record.identity),),
    "AccessKeyId": lambda record: (record.identity.access_key,),
    "ResourceName": lambda record: [resource.name for resource in record.resources],
    "ResourceType": lambda record: [resource.type for resource in record.resources],
}
