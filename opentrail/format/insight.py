"""An Insight event <-> its record, as it lies under ``CloudTrail-Insight/``.

Source: CloudTrail user guide, "CloudTrail record contents for Insights events
for trails".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from uuid import UUID

import msgspec

from opentrail.model.event import Place

EVENT_VERSION = "1.09"
MAX_VALUES = 5  # of each attribute


class Share(msgspec.Struct, frozen=True):
    """One value of an attribute and its calls per minute."""

    value: str
    average: float


class Attribution(msgspec.Struct, frozen=True):
    """Whose calls they were: during the incident, and before. Each most calls first, at most five."""

    attribute: str  # userIdentityArn, userAgent, errorCode, resourceArn
    insight: list[Share]
    baseline: list[Share]


def top_shares(averages: Mapping[str, float]) -> list[Share]:
    """The five values with most calls per minute."""
    ordered = sorted(averages.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Share(value, average) for value, average in ordered[:MAX_VALUES] if average > 0]


class Average(msgspec.Struct, frozen=True):
    """Calls per minute."""

    average: float


class Statistics(msgspec.Struct, frozen=True, rename="camel"):
    """How much it was, beside how much it used to be. Durations in minutes."""

    baseline: Average
    insight: Average
    insight_duration: int
    baseline_duration: int


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """What makes it unusual."""

    statistics: Statistics
    attributions: list[Attribution] = []


class Details(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Which API, and whether this is the beginning or the end."""

    state: str  # Start or End
    event_source: str
    event_name: str
    insight_type: str
    insight_context: Context
    error_code: str = ""
    source_event_category: str = ""
    insight_source: str = ""  # the ARN of the trail whose data events it is about


class InsightEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One record. Start and End of an incident share ``sharedEventID``."""

    event_version: str = msgspec.field(name="eventVersion", default=EVENT_VERSION)
    time: str = msgspec.field(name="eventTime")
    region: str = msgspec.field(name="awsRegion")
    event_id: str = msgspec.field(name="eventID")
    event_type: str = msgspec.field(name="eventType", default="AwsCloudTrailInsight")
    account: str = msgspec.field(name="recipientAccountId")
    shared_id: str = msgspec.field(name="sharedEventID")
    details: Details = msgspec.field(name="insightDetails")
    category: str = msgspec.field(name="eventCategory", default="Insight")

    @property
    def place(self) -> Place:
        """The account and Region it is about."""
        return Place(self.account, self.region)


def encode_insight(event: InsightEvent) -> bytes:
    """The record, one line; the same event gives the same bytes."""
    return msgspec.json.encode(event)


def name_insight(*facts: object) -> str:
    """A GUID that is the same for the same facts, so that a repeated run repeats the event and adds none."""
    digest = hashlib.sha256("\n".join(map(str, facts)).encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))
