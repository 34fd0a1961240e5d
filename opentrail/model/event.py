"""An event: one record, still bytes, with the few facts that route it. Made by record, taken by select."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Place(NamedTuple):
    """An account and a Region."""

    account: str
    region: str


class Resource(msgspec.Struct, frozen=True, gc=False):
    """One element of a record's ``resources``."""

    type: str = ""
    arn: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record and its routing facts.

    ``place`` names the file it goes into, ``arrived`` the bus it came by: trails
    of the arrival account and Region see it. On AWS the two are always equal;
    they differ when somebody replays another account's record.
    """

    raw: bytes  # the record's JSON as it arrived, on one line
    place: Place
    arrived: Place
    arrived_at: float  # epoch seconds with milliseconds: when the intake queue took it
    event_id: str
    time: str  # "2026-01-10T04:20:31Z"
    source: str
    name: str
    category: str  # Management, Data, NetworkActivity, Insight
    event_type: str = ""
    read_only: bool = False
    error_code: str = ""
    principal_arn: str = ""  # userIdentity.arn
    issuer_arn: str = ""  # userIdentity.sessionContext.sessionIssuer.arn
    invoked_by: str = ""
    from_console: bool = False  # sessionCredentialFromConsole
    vpc_endpoint_id: str = ""
    insight_type: str = ""
    insight_source: str = ""  # the ARN of the trail whose data events an Insight event is about
    resources: tuple[Resource, ...] = ()
