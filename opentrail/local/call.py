"""What passes between the parts of the laptop runtime: a call, its answer, and the record of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# In the WSGI environment of a request that a service of AWS makes with its caller's credentials: the
# service. No client can set it, because its headers get other names there.
ON_BEHALF = "opentrail.on_behalf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who signed a call, resolved before the call runs (the call may delete its caller).

    ``identity`` is the ``userIdentity`` object that goes into the record.
    """

    account: str  # the account the credentials belong to
    arn: str
    access_key: str
    identity: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One AWS API request as it reached the endpoint."""

    service: str  # botocore's service name: "s3", "ec2", "cloudtrail"
    operation: str  # the API's name: "CreateUser"; "" when the request could not be understood
    parameters: Mapping[str, Any]  # parsed by botocore's shapes
    region: str
    caller: Caller
    method: str
    path: str
    query: str
    headers: Mapping[str, str]  # lower-case names
    body: bytes
    source_ip: str
    arrived: datetime  # UTC
    event_id: str  # minted on arrival, carries its milliseconds (UUIDv7 layout)
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to a call."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """A record ready for the default bus of its account and Region."""

    account: str
    region: str
    source: str  # "aws.iam"
    detail_type: str  # "AWS API Call via CloudTrail"
    time: datetime
    detail: bytes  # the record's JSON on one line
    read_only: bool
    category: str  # "Management", "Data"


ServiceHandler = Callable[[Call], Reply]
RecordSink = Callable[[Captured], None]


@dataclass(slots=True)
class Counters:
    """What went through the gateway since it started; shown by ``opentrail status``."""

    calls: int = 0
    recorded: int = 0
    capture_errors: int = 0
    last_error: str = field(default="")
