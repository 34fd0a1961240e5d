"""``opentrail resource-history``: who touched a resource, and what AWS Config saw change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.config_history import ConfigHistory
from opentrail.branches.resource_history import Call, Difference, Item, Named, Step, join, read_arn
from opentrail.branches.resource_history.difference import ABSENT
from opentrail.cli._event_filters import Filters, LookupFailedError, When
from opentrail.cli._shown_event import ShownEvent
from opentrail.cli.lookup import search
from opentrail.errors import FormatError, StorageError
from opentrail.format.times import to_iso

DEFAULT_LIMIT = 100
_NOTHING = "(nothing)"

EPILOG = """\b
Examples:
  opentrail resource-history arn:aws:s3:::my-bucket
  opentrail resource-history arn:aws:iam::111122223333:role/Deploy --since 7d --json
"""


@click.command("resource-history", epilog=EPILOG)
@click.argument("arn")
@click.option("--since", type=When(), help="From this time on: 2026-01-10T04:00Z, 15m, 7d.")
@click.option("--until", type=When(), help="Up to this time.")
@click.option("--region", default="", help="Where to ask; the ARN's own Region unless given.")
@click.option(
    "--limit", default=DEFAULT_LIMIT, show_default=True, type=click.IntRange(0), help="Most calls; 0 is all."
)
@click.option("--json", "as_json", is_flag=True, help="All of it, with each configuration.")
def command(
    arn: str, since: datetime | None, until: datetime | None, region: str, limit: int, as_json: bool
) -> None:
    """Show the calls that touched a resource, joined with its configurations in AWS Config.

    Newest first. Each configuration is followed by what changed in it, and by the calls since
    the one before, any of which may have changed it.

    Exit code 1: refused, or not an ARN. 2: nothing answers.
    """
    try:
        named = read_arn(arn)
    except FormatError as error:
        raise click.ClickException(str(error)) from error
    place = region or named.region
    events = _events(named, place, since=since, until=until, limit=limit)
    resource_type = named.type or _type_in(events, named)
    try:
        items = _items(resource_type, named, place, since, until)
    except StorageError as error:
        raise click.ClickException(str(error)) from error
    steps = join(map(_call, events), items)
    note = _note(resource_type, items)
    click.echo(_json(named, resource_type, steps, note) if as_json else _table(steps, note), nl=False)


def _events(
    named: Named, region: str, *, since: datetime | None, until: datetime | None, limit: int
) -> list[ShownEvent]:
    """The newest events that call the resource by one of its names, each once."""
    found: dict[str, ShownEvent] = {}
    try:
        for name in named.names:
            filters = Filters(resource=(name,))
            events = search(filters, regions=(region,) if region else (), since=since, until=until)
            found |= {event.id: event for event in islice(events, limit or None)}
    except (ClientError, BotoCoreError) as error:
        raise LookupFailedError(error) from error
    newest = sorted(found.values(), key=lambda event: (event.moment, event.id), reverse=True)
    return newest[: limit or None]


def _type_in(events: list[ShownEvent], named: Named) -> str:
    """The type that events give the resource; "" when none does."""
    kinds = (
        str(resource.get("ResourceType", ""))
        for event in events
        for resource in event.event.get("Resources", ())
        if resource.get("ResourceName") in named.names
    )
    return next(filter(None, kinds), "")


def _items(
    resource_type: str, named: Named, region: str, since: datetime | None, until: datetime | None
) -> list[Item]:
    if not resource_type:
        return []
    return ConfigHistory(client("config", region)).items(resource_type, named.id, since, until)


def _note(resource_type: str, items: list[Item]) -> str:
    """What is to be said of AWS Config's part; "" when it speaks for itself."""
    if not resource_type:
        return "AWS Config was not asked: neither the ARN nor an event tells the resource's type."
    if not items:
        return f"AWS Config has no configuration of this {resource_type}: not recorded here, or not yet."
    if len(items) == 1:
        return "AWS Config has one configuration: nothing to compare it with."
    return ""


def _call(event: ShownEvent) -> Call:
    return Call(
        event_id=event.id,
        time=event.moment,
        who=event.who,
        source=event.source,
        name=event.name,
        read_only=event.read_only,
        error=event.error,
    )


def _table(steps: list[Step], note: str) -> str:
    lines = [line for step in steps for line in _lines(step)]
    if not any(step.calls for step in steps):
        lines.append("No call that touched it is in event history.")
    return "".join(f"{line}\n" for line in [*lines, *([note] if note else [])])


def _lines(step: Step) -> Iterator[str]:
    if step.item:
        yield f"{to_iso(step.time)}  AWS Config: {step.item.status}{_summary(step)}"
        yield from (f"    {_change(change)}" for change in step.changes)
    for call in step.calls:
        service = call.source.removesuffix(".amazonaws.com")
        yield f"{to_iso(call.time)}  {call.who}  {service} {call.name}  {call.error}".rstrip()


def _summary(step: Step) -> str:
    if step.first:
        return ", the oldest known"
    return "" if step.changes else ", nothing changed"


def _change(change: Difference) -> str:
    return f"{change.path}: {_text(change.before)} -> {_text(change.after)}"


def _text(value: Any) -> str:
    return _NOTHING if value is ABSENT else json.dumps(value, default=str)


def _json(named: Named, resource_type: str, steps: list[Step], note: str) -> str:
    shown = {
        "arn": named.arn,
        "resourceType": resource_type or None,
        "note": note or None,
        "steps": [_json_step(step) for step in steps],
    }
    return json.dumps(shown, indent=2, default=str) + "\n"


def _json_step(step: Step) -> dict[str, Any]:
    item = step.item
    return {
        "capturedAt": to_iso(item.captured) if item else None,
        "status": item.status if item else None,
        "changes": [_json_change(change) for change in step.changes],
        "calls": [
            {
                "eventID": call.event_id,
                "eventTime": to_iso(call.time),
                "username": call.who,
                "eventSource": call.source,
                "eventName": call.name,
                "readOnly": call.read_only,
                "errorCode": call.error or None,
            }
            for call in step.calls
        ],
        "state": item.state if item else None,
    }


def _json_change(change: Difference) -> dict[str, Any]:
    """A side that is not there has no member, which null would be mistaken for."""
    sides = {"before": change.before, "after": change.after}
    return {"path": change.path, **{side: value for side, value in sides.items() if value is not ABSENT}}
