"""Which destinations an event goes to: the trails that see it and want it, and event history."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from math import floor

from opentrail.errors import FormatError
from opentrail.format import times
from opentrail.model.event import Event, Place
from opentrail.model.log_file import HISTORY, Destination
from opentrail.model.trail import Trail
from opentrail.pipeline.select.selectors import compile_trail

HISTORY_PREFIX = "history"
HISTORY_CATEGORIES = frozenset({"Management", "Insight"})

# Services whose events a trail takes or leaves by IncludeGlobalServiceEvents.
# Source: CloudTrail user guide, "Global service events".
GLOBAL_REGION = "us-east-1"
GLOBAL_SOURCES = frozenset({"iam.amazonaws.com", "sts.amazonaws.com", "cloudfront.amazonaws.com"})

# What RecursiveLogging=false leaves out: CloudTrail writing the trail itself.
# Source: CloudTrail user guide, "Recursive logging".
_RECURSIVE = frozenset({("s3.amazonaws.com", "PutObject"), ("logs.amazonaws.com", "PutLogEvents")})

_NEVER = float("inf")

Members = Mapping[str, Collection[str]]  # organization ID -> the accounts in it


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A trail that covers a place, with what is asked of every event there."""

    trail: Trail
    destination: Destination
    wants: Callable[[Event], bool]
    since: float  # a logging trail takes what arrives from then on
    leaves_out: bool  # global service events, or CloudTrail's own writes


class Selection:
    """The trails of the moment, compiled once, asked for every event."""

    def __init__(
        self,
        trails: Iterable[Trail],
        *,
        history_bucket: str,
        members: Members | None = None,
        history_since: str = "",
    ) -> None:
        """``history_since`` is an eventTime; what happened before it, nobody could look up any more."""
        self._history_since = history_since
        # The oldest first: CloudTrail charges for every copy of a management event but the first.
        self._trails = [_candidate(trail) for trail in sorted(trails, key=lambda trail: trail.created_at)]
        self._members = members or {}
        self._history = Destination(name=HISTORY, bucket=history_bucket, prefix=HISTORY_PREFIX)
        self._by_place: dict[Place, list[_Candidate]] = {}
        self._sets: dict[tuple[Place, tuple[bool, ...]], tuple[Destination, ...]] = {}

    def destinations(self, event: Event) -> tuple[Destination, ...]:
        """Where ``event`` goes: each trail that selects it, and history for what history keeps.

        History never depends on trails: nobody can stop it. Equal answers are
        the very same tuple.
        """
        candidates = self._candidates(event.arrived)
        chosen = (
            event.category in HISTORY_CATEGORIES and event.time >= self._history_since,
            *[
                (event.arrived_at >= c.since or was_logging(c.trail, event))
                and c.wants(event)
                and not (c.leaves_out and _is_left_out(c.trail, event))
                for c in candidates
            ],
        )
        key = (event.arrived, chosen)
        known = self._sets.get(key)
        if known is None:
            trails = (c.destination for c, taken in zip(candidates, chosen[1:], strict=True) if taken)
            known = self._sets[key] = (*trails, self._history) if chosen[0] else tuple(trails)
        return known

    def _candidates(self, place: Place) -> list[_Candidate]:
        known = self._by_place.get(place)
        if known is None:
            known = self._by_place[place] = [c for c in self._trails if sees(c.trail, place, self._members)]
        return known


def _candidate(trail: Trail) -> _Candidate:
    return _Candidate(
        trail,
        _destination(trail),
        compile_trail(trail),
        since=trail.started_at if trail.logging else _NEVER,
        leaves_out=not (trail.include_global_service_events and trail.recursive_logging),
    )


def _destination(trail: Trail) -> Destination:
    return Destination(
        name=trail.arn,
        bucket=trail.bucket,
        prefix=trail.prefix,
        organization_id=trail.organization_id,
        kms_key_arn=trail.kms_key_arn,
        sns_topic_arn=trail.sns_topic_arn,
        log_group_arn=trail.log_group_arn,
        counted=any("Data" in s.get("EventCategories", ()) for s in trail.insight_selectors or ()),
        insights=_analysed(trail),
        digested_since=max(trail.started_at, trail.validation_since) if trail.log_file_validation else 0.0,
    )


def _analysed(trail: Trail) -> tuple[str, ...]:
    """``Management:ApiCallRateInsight`` and the like, for each Insights type of each category."""
    return tuple(
        f"{category}:{selector['InsightType']}"
        for selector in trail.insight_selectors or ()
        for category in selector.get("EventCategories", ("Management",))
    )


def sees(trail: Trail, place: Place, members: Members) -> bool:
    """True when ``trail`` covers this account and Region at all.

    An organization's trail covers every account that is in the organization now.
    """
    if not (trail.multi_region or trail.home_region == place.region):
        return False
    return trail.account == place.account or place.account in members.get(trail.organization_id, ())


def was_logging(trail: Trail, event: Event) -> bool:
    """True when ``trail`` was logging as ``event`` happened.

    A running trail takes what arrives after its start, however old the record
    says it is, so that replayed records are recorded. A stopped trail still
    takes events from before it was stopped, the StopLogging call included, for
    they may arrive minutes late.
    """
    if trail.logging:
        return event.arrived_at >= trail.started_at
    if not trail.started_at or not trail.stopped_at:
        return False
    return trail.started_at <= happened_at(event) <= trail.stopped_at


def happened_at(event: Event) -> float:
    """Epoch seconds of the call: to the millisecond where the eventID carries it, else to the second."""
    try:
        second = times.from_iso(event.time).timestamp()
    except FormatError:
        return event.arrived_at
    if len(event.event_id) == 36 and event.event_id[14] == "7":  # UUIDv7: milliseconds first
        try:
            minted = int(event.event_id[:8] + event.event_id[9:13], 16) / 1000
        except ValueError:
            return second
        if abs(floor(minted) - second) <= 60:  # our own; a foreign UUID may only look like one
            return minted
    return second


def _is_left_out(trail: Trail, event: Event) -> bool:
    if not trail.include_global_service_events and _is_global(event):
        return True
    recursive = event.invoked_by == "cloudtrail.amazonaws.com" and (event.source, event.name) in _RECURSIVE
    return recursive and not trail.recursive_logging


def _is_global(event: Event) -> bool:
    return event.arrived.region == GLOBAL_REGION and event.source in GLOBAL_SOURCES
