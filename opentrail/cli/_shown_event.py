"""An Event of LookupEvents -> what people look at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from opentrail.format.times import to_iso

_SERVICE = ".amazonaws.com"


@dataclass(frozen=True)
class ShownEvent:
    """One event, with its record parsed when it is first asked for."""

    event: dict[str, Any]  # as boto3 answers it

    @cached_property
    def record(self) -> dict[str, Any]:
        """The record, ``{}`` should the answer have none."""
        value = json.loads(self.event.get("CloudTrailEvent") or "{}")
        return value if isinstance(value, dict) else {}

    @property
    def id(self) -> str:
        """EventId."""
        return str(self.event.get("EventId", ""))

    @property
    def moment(self) -> datetime:
        """EventTime in UTC."""
        moment: datetime = self.event.get("EventTime", datetime.fromtimestamp(0, UTC))
        return moment.astimezone(UTC)

    @property
    def time(self) -> str:
        """``2026-01-10T04:20:31Z``."""
        return to_iso(self.moment)

    @property
    def name(self) -> str:
        """EventName."""
        return str(self.event.get("EventName", ""))

    @property
    def source(self) -> str:
        """EventSource, ``iam.amazonaws.com``."""
        return str(self.event.get("EventSource", ""))

    @property
    def service(self) -> str:
        """EventSource without its domain: ``iam``."""
        return self.source.removesuffix(_SERVICE)

    @property
    def region(self) -> str:
        """awsRegion."""
        return self._text("awsRegion")

    @property
    def identity(self) -> dict[str, Any]:
        """userIdentity."""
        value = self.record.get("userIdentity")
        return value if isinstance(value, dict) else {}

    @property
    def who(self) -> str:
        """Username; for callers that have none, the service, the ARN or the account that called."""
        identity = self.identity
        names = (self.event.get("Username"), *(identity.get(n) for n in ("invokedBy", "arn", "accountId")))
        return str(next((name for name in names if name), ""))

    @property
    def principals(self) -> tuple[str, ...]:
        """Every name the caller goes by: Username, ARNs and names of the user or role, the service."""
        identity = self.identity
        issuer = (identity.get("sessionContext") or {}).get("sessionIssuer") or {}
        names = (
            self.event.get("Username"),
            *(identity.get(name) for name in ("arn", "userName", "principalId", "invokedBy", "accountId")),
            *(issuer.get(name) for name in ("arn", "userName")),
        )
        return tuple(str(name) for name in names if name)

    @property
    def access_key(self) -> str:
        """AccessKeyId."""
        return str(self.event.get("AccessKeyId", ""))

    @property
    def read_only(self) -> bool:
        """ReadOnly."""
        return self.event.get("ReadOnly") == "true"

    @property
    def error(self) -> str:
        """errorCode, "" when the call succeeded."""
        return self._text("errorCode")

    @property
    def error_message(self) -> str:
        """errorMessage."""
        return self._text("errorMessage")

    @property
    def ip(self) -> str:
        """sourceIPAddress: an address or a service."""
        return self._text("sourceIPAddress")

    @property
    def agent(self) -> str:
        """userAgent."""
        return self._text("userAgent")

    @property
    def resources(self) -> tuple[str, ...]:
        """ResourceName of each of Resources."""
        return tuple(r["ResourceName"] for r in self.event.get("Resources", ()) if r.get("ResourceName"))

    @property
    def resource_types(self) -> tuple[str, ...]:
        """ResourceType of each of Resources."""
        return tuple(r["ResourceType"] for r in self.event.get("Resources", ()) if r.get("ResourceType"))

    def _text(self, name: str) -> str:
        value = self.record.get(name)
        return value if isinstance(value, str) else ""
