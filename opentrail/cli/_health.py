"""What a deployment or a laptop says of itself -> one screen of lines, each well or not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from opentrail.adapters.aws.deployment import FunctionState, QueueState

# Stack, logical id with CDK's hash, and what CloudFormation adds.
_MADE_NAME = re.compile(r"\w+-(?P<id>[A-Za-z]\w*?)[0-9A-F]{8}-[0-9A-Z]{12}")
SETTLED = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing, whether it is well, and what there is to say of it."""

    name: str
    well: bool
    text: str

    def __str__(self) -> str:
        sign = click.style("ok  ", fg="green") if self.well else click.style("BAD ", fg="red")
        return f"{sign}{self.name:34}{self.text}"


def is_well(lines: Iterable[Line]) -> bool:
    """Nothing is wrong."""
    return all(line.well for line in lines)


def of_stacks(statuses: Mapping[str, str]) -> Iterator[Line]:
    """The stacks of a deployment."""
    for name, status in statuses.items():
        yield Line(f"stack {name}", status in SETTLED, status)


def of_queues(queues: Iterable[QueueState]) -> Iterator[Line]:
    """Messages on the way are well, those given up are not."""
    for queue in queues:
        text = f"{queue.waiting} waiting, {queue.in_flight} in flight, {queue.dead} given up"
        yield Line(f"queue {queue.name}", not queue.dead, text)


def of_functions(functions: Iterable[FunctionState]) -> Iterator[Line]:
    """A function is well when it is active and did not fail within the last hour."""
    for function in functions:
        well = function.state in ("Active", "Inactive") and not function.errors
        yield Line(function.name[-34:], well, f"{function.state}, {function.errors} errors in the last hour")


def of_alarms(ringing: Iterable[str]) -> Iterator[Line]:
    """Alarms in state ALARM; the runbook has a paragraph for each."""
    names = list(ringing)
    yield Line("alarms", not names, ", ".join(names) or "none")


def of_trails(trails: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """GetTrailStatus of each trail, with its ``Name``."""
    errors = ("LatestDeliveryError", "LatestDigestDeliveryError", "LatestNotificationError")
    for status in trails:
        problems = [f"{name}: {status[name]}" for name in errors if status.get(name)]
        logging = "logging" if status["IsLogging"] else "stopped"
        latest = status.get("LatestDeliveryTime")
        arrived = f", last file {latest:%Y-%m-%dT%H:%M:%SZ}" if latest else ", no file yet"
        text = "; ".join([logging + arrived, *problems])
        yield Line(f"trail {status['Name']}", status["IsLogging"] and not problems, text)


def of_laptop(status: Mapping[str, Any]) -> Iterator[Line]:
    """What ``GET /_opentrail/status`` of ``opentrail up`` answers."""
    calls = status.get("calls", {})
    errors, last = calls.get("capture_errors", 0), calls.get("last_error", "")
    text = f"{calls.get('calls', 0)} calls, {calls.get('recorded', 0)} recorded, {errors} could not be"
    yield Line("recording", not errors, f"{text}: {last}" if last else text)
    for name, count in status.get("waiting", {}).items():
        yield Line(
            f"queue {name.removesuffix('Queue')}", not count or "DeadLetter" not in name, f"{count} messages"
        )
    failed = status.get("asynchronous_failures", 0)
    yield Line("asynchronous invocations", not failed, f"{failed} failed")
    yield Line(
        "workers",
        True,
        ", ".join(f"{n} {_short(name)}" for name, n in status.get("workers", {}).items()) or "none yet",
    )


def _short(function: str) -> str:
    """``RecordFunction`` of the name CloudFormation makes for it; other names as they are."""
    made = _MADE_NAME.fullmatch(function)
    return made["id"] if made else function
