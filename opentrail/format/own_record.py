"""What OpenTrail itself did or found because of an event -> a CloudTrail record of it.

CloudTrail's shape for what a service does by itself: eventType ``AwsServiceEvent``, facts in
``serviceEventDetails``.

Source: CloudTrail user guide, "CloudTrail record contents".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from opentrail.format.times import to_iso
from opentrail.model.event import Place

EVENT_SOURCE = "opentrail"
EVENT_VERSION = "1.11"


def own_record(
    *,
    name: str,
    id_: str,
    time: datetime,
    place: Place,
    details: Mapping[str, Any],
    read_only: bool = True,
    resources: Sequence[Mapping[str, str]] = (),
) -> bytes:
    """Return the record as one line of JSON.

    Args:
        name: the eventName.
        id_: the eventID; the same for the same facts, so that a repeated record is found once.
        time: UTC.
        place: the account and Region the record belongs to.
        details: the facts.
        read_only: False when something was changed.
        resources: elements of ``resources``.
    """
    record = {
        "eventVersion": EVENT_VERSION,
        "userIdentity": {"accountId": place.account, "invokedBy": EVENT_SOURCE},
        "eventTime": to_iso(time),
        "eventSource": EVENT_SOURCE,
        "eventName": name,
        "awsRegion": place.region,
        "sourceIPAddress": EVENT_SOURCE,
        "userAgent": EVENT_SOURCE,
        "requestParameters": None,
        "responseElements": None,
        "eventID": id_,
        "readOnly": read_only,
        "resources": list(resources),
        "eventType": "AwsServiceEvent",
        "managementEvent": True,
        "recipientAccountId": place.account,
        "serviceEventDetails": details,
        "eventCategory": "Management",
    }
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()


def derived_id(*facts: str) -> str:
    """A GUID that is the same for the same facts."""
    return str(UUID(bytes=hashlib.sha256("\n".join(facts).encode()).digest()[:16], version=4))


def principal_of(record: Mapping[str, Any]) -> str:
    """Who made a call, as far as the record says."""
    identity = record.get("userIdentity")
    if not isinstance(identity, Mapping):
        return ""
    return str(identity.get("arn") or identity.get("invokedBy") or identity.get("type") or "")
