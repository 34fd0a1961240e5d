"""EventBridge: events -> the targets of the rules they match.

Records come from the gateway, which plays AWS here; other events from PutEvents, S3,
schedules and replays.

Source: EventBridge user guide, "AWS service events delivered via AWS CloudTrail",
"Creating Amazon EventBridge event patterns", "Using dead-letter queues".
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import uuid4

import msgspec

from opentrail.errors import OpenTrailError, StorageError
from opentrail.format.times import from_epoch, to_iso
from opentrail.local.backends import existing
from opentrail.local.call import Captured
from opentrail.local.patterns import compile_pattern
from opentrail.local.queues import find_queue, put_message
from opentrail.local.targets import MAX_EVENT_BYTES, Targets
from opentrail.local.templates import target_body

MAX_ENTRIES = 10  # PutEvents
MAX_HOPS = 4  # buses an event may pass; AWS stops after two, a loop must stop somewhere
WITH_MANAGEMENT_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class BusEvent:
    """One event on a bus. ``detail`` is JSON and never parsed and printed again."""

    id: str
    detail_type: str
    source: str
    account: str
    time: str  # "2026-01-10T18:12:23Z"
    region: str
    resources: tuple[str, ...] = ()
    detail: bytes
    replay: str = ""
    management_read: bool = False  # a read-only management event of CloudTrail
    hops: int = 0

    @cached_property
    def envelope(self) -> bytes:
        """The event as targets get it, members in EventBridge's order."""
        head: dict[str, Any] = {
            "version": "0",
            "id": self.id,
            "detail-type": self.detail_type,
            "source": self.source,
            "account": self.account,
            "time": self.time,
            "region": self.region,
            "resources": list(self.resources),
        }
        if self.replay:
            head["replay-name"] = self.replay
        return msgspec.json.encode(head)[:-1] + b',"detail":' + self.detail + b"}"

    @cached_property
    def parsed(self) -> dict[str, Any]:
        """The envelope as an object, for patterns and templates."""
        try:
            return msgspec.json.decode(self.envelope, type=dict[str, Any])
        except msgspec.DecodeError:  # lone surrogates and numbers like 1e999 in a detail of PutEvents
            value: dict[str, Any] = json.loads(self.envelope)
            return value


@dataclass(slots=True)
class BusCounters:
    """What went over the buses since the start."""

    events: int = 0
    deliveries: int = 0
    failed: int = 0
    last_error: str = field(default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """Where the records of all accounts and Regions meet: OpenTrail's own rule and its intake queue.

    On AWS rules in every other account and Region forward to it; the laptop, where accounts
    and Regions spring up by being used, takes those rules as given, until they are deployed.
    """

    account: str = ""
    region: str = ""
    queue_arn: str = ""  # "" = nothing deployed yet

    def is_sent_to(self, target: Mapping[str, Any]) -> bool:
        """True when the target of a rule is a bus at home: OpenTrail's, which leads to the queue."""
        service, region, account, resource = target["Arn"].split(":", 5)[2:]
        bus = service == "events" and resource.startswith("event-bus/")
        return bus and (account, region) == (self.account, self.region)


class Bus:
    """Every bus of every account and Region; rules and targets are moto's."""

    def __init__(self, targets: Targets) -> None:
        self.counters = BusCounters()
        self.collector = Collector()
        self._targets = targets
        self._counting = threading.Lock()

    def deliver(self, captured: Captured) -> None:
        """Put a record on the default bus of its account and Region. Never raises for a target.

        From other places than the collector's it also goes to the collector, in its own envelope.
        """
        event = BusEvent(
            id=str(uuid4()),
            detail_type=captured.detail_type,
            source=captured.source,
            account=captured.account,
            time=to_iso(captured.time),
            region=captured.region,
            detail=captured.detail,
            management_read=captured.read_only and captured.category == "Management",
        )
        self.send(event, account=captured.account, region=captured.region, bus="default")
        self._collect(event)

    def _collect(self, event: BusEvent) -> None:
        home = self.collector
        if not home.queue_arn or (event.account, event.region) == (home.account, home.region):
            return
        if self._is_forwarded(event):
            return
        for rule in _rules(home.account, home.region, "default"):
            targets = [target for target in list(rule.targets) if target["Arn"] == home.queue_arn]
            if targets and matches(rule, event):
                self.send_to_target(event, targets[0], rule_arn=rule.arn)
                return

    def _is_forwarded(self, event: BusEvent) -> bool:
        """Does a deployed rule of the event's own account and Region send it home?"""
        return any(
            matches(rule, event) and any(self.collector.is_sent_to(target) for target in list(rule.targets))
            for rule in _rules(event.account, event.region, "default")
        )

    def put_events(self, account: str, region: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Answer PutEvents: one ``{"EventId"}`` or ``{"ErrorCode", "ErrorMessage"}`` per entry, in order."""
        from moto.events.exceptions import ValidationException

        if len(entries) > MAX_ENTRIES:
            raise ValidationException(
                "1 validation error detected: Value '[PutEventsRequestEntry]' at 'entries' failed to satisfy "
                "constraint: Member must have length less than or equal to 10"
            )
        if sum(map(_entry_size, entries)) > MAX_EVENT_BYTES:
            raise ValidationException("Total size of the entries in the request is over the limit.")
        return [self._put_entry(account, region, entry) for entry in entries]

    def _put_entry(self, account: str, region: str, entry: dict[str, Any]) -> dict[str, Any]:
        refusal = _refusal(entry)
        if refusal:
            return refusal
        event = BusEvent(
            id=str(uuid4()),
            detail_type=entry["DetailType"],
            source=entry["Source"],
            account=account,
            time=_time(entry.get("Time")),
            region=region,
            resources=tuple(entry.get("Resources") or ()),
            detail=entry["Detail"].encode(),
            management_read=_is_management_read(entry),
        )
        bus_region, bus_account, bus = _bus_of(entry.get("EventBusName"), region, account)
        self.send(event, account=bus_account, region=bus_region, bus=bus)
        return {"EventId": event.id}

    def publish(
        self, account: str, region: str, event: Mapping[str, Any], *, rules: list[Any] | None
    ) -> None:
        """Deliver an event of another service, to ``rules`` only or to the whole default bus."""
        made = BusEvent(
            id=str(uuid4()),
            detail_type=event["detail-type"],
            source=event["source"],
            account=account,
            time=_time(event.get("time")),
            region=region,
            resources=tuple(event.get("resources") or ()),
            detail=json.dumps(event.get("detail") or {}, separators=(",", ":")).encode(),
            replay=event.get("replay-name", ""),
        )
        if rules is None:
            self.send(made, account=account, region=region, bus="default")
        else:
            self._send_to(made, rules)

    def send(self, event: BusEvent, *, account: str, region: str, bus: str) -> None:
        """Deliver ``event`` to the targets of every rule of that bus it matches."""
        self._count(events=1)
        self._send_to(event, _rules(account, region, bus))

    def _send_to(self, event: BusEvent, rules: Iterable[Any]) -> None:
        for rule in rules:
            if matches(rule, event):
                for target in list(rule.targets):
                    self.send_to_target(event, target, rule_arn=rule.arn)

    def send_to_target(self, event: BusEvent, target: Mapping[str, Any], *, rule_arn: str) -> None:
        """Deliver to one target; a failure goes to its dead-letter queue, the log and the counters."""
        try:
            self._deliver(event, target, rule_arn)
        except Exception as error:  # a target must not fail the call whose record it is
            self._count(failed=1, error=f"{rule_arn}: {error}")
            log.warning("rule %s, target %s: %s", rule_arn, target.get("Arn"), error)
            self._to_dead_letters(event, target, rule_arn, error)
        else:
            self._count(deliveries=1)

    def _deliver(self, event: BusEvent, target: Mapping[str, Any], rule_arn: str) -> None:
        arn: str = target["Arn"]
        if ":event-bus/" in arn:
            self._forward(event, arn)
        elif arn.split(":")[2] == "events" and arn.endswith(":::"):
            _archive(event, rule_arn)
        else:
            plain = not (target.get("Input") or target.get("InputPath") or target.get("InputTransformer"))
            parsed = {} if plain else event.parsed
            self._targets.send(arn, target_body(target, event.envelope, parsed, rule_arn), target)

    def _forward(self, event: BusEvent, arn: str) -> None:
        if event.hops >= MAX_HOPS:
            raise StorageError(f"send to {arn}: the event passed {MAX_HOPS} buses already", "TooManyHops")
        region, account, bus = _bus_of(arn, "", "")
        self.send(replace(event, hops=event.hops + 1), account=account, region=region, bus=bus)

    def _to_dead_letters(
        self, event: BusEvent, target: Mapping[str, Any], rule_arn: str, error: Exception
    ) -> None:
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue:
            return
        attributes = {
            "RULE_ARN": rule_arn,
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": getattr(error, "code", "") or "INTERNAL_ERROR",
            "ERROR_MESSAGE": str(error)[:1024] or type(error).__name__,
            "RETRY_ATTEMPTS": "0",
        }
        try:
            put_message(find_queue(queue), event.envelope.decode(), attributes=attributes)
        except OpenTrailError as lost:
            log.warning("rule %s: its dead-letter queue: %s", rule_arn, lost)

    def _count(self, *, events: int = 0, deliveries: int = 0, failed: int = 0, error: str = "") -> None:
        with self._counting:
            self.counters.events += events
            self.counters.deliveries += deliveries
            self.counters.failed += failed
            self.counters.last_error = error or self.counters.last_error


def matches(rule: Any, event: BusEvent) -> bool:
    """Does ``rule`` (moto's model) want ``event``?

    A rule that is merely ENABLED does not get CloudTrail's read-only management events.
    """
    if rule.state == "DISABLED" or (event.management_read and rule.state != WITH_MANAGEMENT_READS):
        return False
    pattern = rule.event_pattern.dump()
    return bool(pattern) and compile_pattern(pattern)(event.parsed)


def _rules(account: str, region: str, bus: str) -> list[Any]:
    from moto.events.models import events_backends

    backend = existing(events_backends, account, region)
    found = backend.event_buses.get(bus) if backend else None
    return list(found.rules.values()) if found else []


def _bus_of(name: str | None, region: str, account: str) -> tuple[str, str, str]:
    if name and name.startswith("arn:"):
        _, _, _, region, account, resource = name.split(":", 5)
        name = resource.removeprefix("event-bus/")
    return region, account, name or "default"


def _refusal(entry: Mapping[str, Any]) -> dict[str, str] | None:
    for member in ("Source", "DetailType", "Detail"):
        if not entry.get(member):
            return {
                "ErrorCode": "InvalidArgument",
                "ErrorMessage": f"Parameter {member} is not valid. Reason: {member} is a required argument.",
            }
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    # EventBridge refuses `aws.` sources from its users. The laptop takes them, so that real events
    # can be replayed against rules and trails; docs/compatibility.md says so.
    return None


def _is_management_read(entry: Mapping[str, Any]) -> bool:
    """Is it a replayed record that a merely ENABLED rule must not see?"""
    if not (entry["Source"].startswith("aws.") and entry["DetailType"].endswith(" via CloudTrail")):
        return False
    record = json.loads(entry["Detail"])
    category = record.get("eventCategory", "Management" if record.get("managementEvent", True) else "Data")
    return record.get("readOnly") is True and category == "Management"


def _entry_size(entry: Mapping[str, Any]) -> int:
    # EventBridge user guide, "Calculating PutEvents event entry size".
    text = "".join(str(entry.get(member) or "") for member in ("Source", "DetailType", "Detail"))
    resources = "".join(entry.get("Resources") or ())
    return (14 if entry.get("Time") else 0) + len((text + resources).encode())


def _time(value: Any) -> str:
    if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
        return value
    return to_iso(from_epoch(float(value))) if value else to_iso(datetime.now(UTC))


def _archive(event: BusEvent, rule_arn: str) -> None:
    from moto.events.models import events_backends

    _, _, _, region, account, _ = rule_arn.split(":", 5)
    name = rule_arn.rsplit("/", 1)[-1].removeprefix("Events-Archive-")
    backend = existing(events_backends, account, region)
    archive = backend.archives.get(name)
    if archive is None:
        raise StorageError(f"archive {name}: no such archive", "ResourceNotFoundException")
    archive.events.append(dict(event.parsed))
