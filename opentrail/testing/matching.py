"""Recorded events, chosen by what a test asks for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from opentrail.local.call import Captured
from opentrail.local.patterns import compile_pattern

Event = dict[str, Any]  # a CloudTrail record


def choose(
    events: Iterable[Event],
    *,
    name: str | None = None,
    source: str | None = None,
    error: str | None = None,
    pattern: Mapping[str, Any] | None = None,
) -> list[Event]:
    """Return the events to which everything given applies, in their order.

    Args:
        events: records.
        name: ``eventName``.
        source: ``eventSource``, with or without ``.amazonaws.com``.
        error: ``errorCode``; "" chooses events without an error.
        pattern: an EventBridge pattern, as a rule has it.

    Raises:
        FormatError: ``pattern`` is none.
    """
    wanted = {} if name is None else {"eventName": name}
    if source is not None:
        wanted["eventSource"] = source if "." in source else f"{source}.amazonaws.com"
    matches = compile_pattern(json.dumps(pattern)) if pattern is not None else lambda _: True
    return [
        event
        for event in events
        if wanted.items() <= event.items()
        and (error is None or event.get("errorCode", "") == error)
        and matches(on_the_bus(event))
    ]


def on_the_bus(event: Event) -> dict[str, Any]:
    """Return the event as EventBridge shows it to rules, for patterns; ``id`` is the record's own."""
    return {
        "version": "0",
        "id": event["eventID"],
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{event['eventSource'].partition('.')[0]}",
        "account": event["recipientAccountId"],
        "time": event["eventTime"],
        "region": event["awsRegion"],
        "resources": [],
        "detail": event,
    }


def record_of(captured: Captured) -> Event:
    """Return the record itself."""
    record: Event = json.loads(captured.detail)
    return record
