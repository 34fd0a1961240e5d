"""Scheduled rules of EventBridge, and EventBridge Scheduler -> their targets, on time.

``tick(now)`` fires everything that became due since the last tick; a thread calls
it once a second. Tests call it with whatever time they like.

Source: EventBridge user guide, "Creating a rule that runs on a schedule"; EventBridge
Scheduler user guide, "Schedule types", "Managing targets".
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from opentrail.errors import FormatError
from opentrail.format.times import to_iso
from opentrail.local.backends import every
from opentrail.local.cron import next_moment, parse_rate
from opentrail.local.events import Bus, BusEvent

_TICK_SECONDS = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One schedule as it is now. ``fire`` is called with the moment it was due."""

    arn: str
    expression: str
    zone: str
    targets: tuple[str, ...]
    fire: Callable[[datetime], None]


class Schedules:
    """Fires schedules.

    Args:
        bus: delivers to targets.
        call_api: makes the AWS call of a universal target, ``(service, operation, parameters)``.
        clock: the current time, UTC.
        periods: seconds by target ARN; a recurring schedule with that target fires at this
            period, whatever its expression says (``--digest-seconds``).
    """

    def __init__(
        self,
        bus: Bus,
        *,
        call_api: Callable[[str, str, dict[str, Any]], None],
        clock: Callable[[], datetime],
        periods: dict[str, int] | None = None,
    ) -> None:
        self.periods = periods or {}
        self.fired = 0
        self._bus = bus
        self._call_api = call_api
        self._clock = clock
        self._due: dict[str, tuple[str, datetime | None]] = {}
        self._stopped = threading.Event()

    def start(self) -> None:
        """Tick once a second in the background. Schedules count from now."""
        self._stopped.clear()
        self.tick(self._clock())
        threading.Thread(target=self._run, args=(self._stopped,), daemon=True, name="schedules").start()

    def stop(self) -> None:
        """End the background thread and forget when anything was due."""
        self._stopped.set()
        self._stopped = threading.Event()
        self._due.clear()

    def _run(self, stopped: threading.Event) -> None:
        while not stopped.wait(_TICK_SECONDS):
            try:
                self.tick(self._clock())
            except Exception:  # one bad schedule must not end all others
                log.exception("schedules")

    def tick(self, now: datetime) -> int:
        """Fire what is due at ``now``; return how many fired. A new schedule is planned, not fired.

        A schedule that missed several moments, because the laptop slept, fires once.
        """
        fired = 0
        current: dict[str, tuple[str, datetime | None]] = {}
        for entry in self._entries():
            due = self._planned(entry, now)
            if due is not None and due <= now:
                entry.fire(due)
                fired += 1
                due = self._next(entry, now)
            current[entry.arn] = (entry.expression, due)
        self._due = current
        self.fired += fired
        return fired

    def describe(self) -> dict[str, str]:
        """Return when each schedule is due next."""
        return {arn: to_iso(due) for arn, (_, due) in self._due.items() if due}

    def _planned(self, entry: _Entry, now: datetime) -> datetime | None:
        known = self._due.get(entry.arn)
        if known and known[0] == entry.expression:
            return known[1]
        return self._next(entry, now)

    def _next(self, entry: _Entry, now: datetime) -> datetime | None:
        try:
            seconds = parse_rate(entry.expression)
            override = min((self.periods[arn] for arn in entry.targets if arn in self.periods), default=None)
            if override and not entry.expression.startswith("at("):
                seconds = override
            if seconds:
                return now + timedelta(seconds=seconds)
            return next_moment(entry.expression, now, ZoneInfo(entry.zone))
        except FormatError as error:
            log.warning("schedule %s: %s", entry.arn, error)
            return None

    def _entries(self) -> Iterator[_Entry]:
        yield from self._rules()
        yield from self._schedules()

    def _rules(self) -> Iterator[_Entry]:
        from moto.events.models import events_backends

        for backend in every(events_backends):
            for rule in list(backend.event_buses["default"].rules.values()):
                if rule.scheduled_expression and rule.state != "DISABLED":
                    yield self._of_rule(rule)

    def _of_rule(self, rule: Any) -> _Entry:
        def fire(due: datetime) -> None:
            event = _scheduled_event(rule.account_id, rule.region_name, "aws.events", rule.arn, due)
            for target in list(rule.targets):
                self._bus.send_to_target(event, target, rule_arn=rule.arn)

        targets = tuple(target["Arn"] for target in rule.targets)
        return _Entry(rule.arn, rule.scheduled_expression, "UTC", targets, fire)

    def _schedules(self) -> Iterator[_Entry]:
        from moto.scheduler.models import scheduler_backends

        now = self._clock()
        for backend in every(scheduler_backends):
            for group in list(backend.schedule_groups.values()):
                for schedule in list(group.schedules.values()):
                    if schedule.state == "ENABLED" and _is_within(schedule, now):
                        yield self._of_schedule(group, schedule)

    def _of_schedule(self, group: Any, schedule: Any) -> _Entry:
        def fire(due: datetime) -> None:
            self._fire_schedule(schedule, due)
            if schedule.action_after_completion == "DELETE" and schedule.schedule_expression.startswith(
                "at("
            ):
                group.schedules.pop(schedule.name, None)

        zone = schedule.schedule_expression_timezone
        return _Entry(schedule.arn, schedule.schedule_expression, zone, (schedule.target["Arn"],), fire)

    def _fire_schedule(self, schedule: Any, due: datetime) -> None:
        target = schedule.target
        account, region = schedule.arn.split(":")[4], schedule.arn.split(":")[3]
        universal = re.fullmatch(r"arn:[\w-]+:scheduler:::aws-sdk:(\w+):(\w+)", target["Arn"])
        if universal:
            self._call_api(universal[1], universal[2], json.loads(target.get("Input") or "{}"))
        elif ":event-bus/" in target["Arn"]:
            self._put_event(target, account, region)
        else:
            event = _scheduled_event(account, region, "aws.scheduler", schedule.arn, due)
            self._bus.send_to_target(event, target, rule_arn=schedule.arn)

    def _put_event(self, target: dict[str, Any], account: str, region: str) -> None:
        parameters = target.get("EventBridgeParameters") or {}
        entry = {
            "Source": parameters.get("Source"),
            "DetailType": parameters.get("DetailType"),
            "Detail": target.get("Input") or "{}",
            "EventBusName": target["Arn"],
        }
        result = self._bus.put_events(account, region, [entry])[0]
        if "ErrorCode" in result:
            log.warning("schedule target %s: %s", target["Arn"], result["ErrorMessage"])


def _scheduled_event(account: str, region: str, source: str, arn: str, due: datetime) -> BusEvent:
    return BusEvent(
        id=str(uuid4()),
        detail_type="Scheduled Event",
        source=source,
        account=account,
        time=to_iso(due),
        region=region,
        resources=(arn,),
        detail=b"{}",
    )


def _is_within(schedule: Any, now: datetime) -> bool:
    start, end = _moment(schedule.start_date), _moment(schedule.end_date)
    return (start is None or start <= now) and (end is None or now <= end)


def _moment(value: Any) -> datetime | None:
    # moto keeps what arrived: epoch seconds, or text.
    if not value:
        return None
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (TypeError, ValueError):
        return datetime.fromisoformat(str(value).replace("Z", "+00:00")).astimezone(UTC)
