"""What a rule found, as a value and as an audit record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opentrail.branches.detections.detection import Detection
from opentrail.format.own_record import derived_id, own_record, principal_of
from opentrail.model.event import Place

DETAIL_TYPE = "OpenTrail Detection Finding"
EVENT_NAME = "DetectionFinding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule matched one event. ``id`` is the same for the same rule and event.

    Attributes:
        place: where the event happened.
        event: the record that matched.
    """

    id: str
    detection: Detection
    place: Place
    event: Mapping[str, Any]
    time: datetime


def finding_id(detection_id: str, event_id: str) -> str:
    """A GUID that is the same for the same rule and event, so that a repeated finding is found once."""
    return derived_id("detection", detection_id, event_id)


def find(detection: Detection, event: Mapping[str, Any], *, home: Place, now: datetime) -> Finding:
    """Return the finding that ``event`` matched ``detection``.

    ``home`` is where the rule runs, for a record that does not say where it is from.
    """
    return Finding(
        id=finding_id(detection.id, str(event.get("eventID", ""))),
        detection=detection,
        place=Place(
            str(event.get("recipientAccountId") or home.account), str(event.get("awsRegion") or home.region)
        ),
        event=event,
        time=now,
    )


def describe(finding: Finding) -> dict[str, Any]:
    """The facts of a finding, in JSON; what is empty is left out."""
    rule, event = finding.detection, finding.event
    facts = {
        "findingId": finding.id,
        "ruleId": rule.id,
        "title": rule.title,
        "level": rule.level,
        "status": rule.status,
        "description": rule.description,
        "tags": list(rule.tags),
        "references": list(rule.references),
        "falsePositives": list(rule.falsepositives),
        "madeBy": principal_of(event),
        "sourceEventId": _text(event, "eventID"),
        "sourceEventTime": _text(event, "eventTime"),
        "sourceEventSource": _text(event, "eventSource"),
        "sourceEventName": _text(event, "eventName"),
        "sourceErrorCode": _text(event, "errorCode"),
        "sourceAddress": _text(event, "sourceIPAddress"),
    }
    return {name: value for name, value in facts.items() if value}


def to_record(finding: Finding) -> bytes:
    """The finding as a CloudTrail record, one line."""
    return own_record(
        name=EVENT_NAME,
        id_=finding.id,
        time=finding.time,
        place=finding.place,
        details=describe(finding),
    )


def _text(event: Mapping[str, Any], member: str) -> str:
    value = event.get(member)
    return value if isinstance(value, str) else ""
