"""EventBridge: delivery, patterns."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from opentrail.errors import FormatError
from opentrail.local.moto_patches.switch import hooks, replace
from opentrail.local.patterns import Matcher, compile_pattern

# EventBridge API reference, TestEventPattern: what an event must have.
_EVENT_MEMBERS = frozenset({"id", "account", "source", "time", "region", "resources", "detail-type"})


def apply() -> None:
    """Correct EventBridge."""
    from moto.events.models import EventsBackend, Rule
    from moto.events.responses import EventsHandler

    # moto raises on Lambda and SNS targets, ignores Input, rule states and dead-letter queues,
    # and parses and prints Detail again.
    def put_events(_: Callable[..., Any]) -> Callable[..., Any]:
        def put(backend: Any, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return hooks().put_events(backend.account_id, backend.region_name, events)

        return put

    # Replays and partner services reach rules one by one.
    def send_to_targets(_: Callable[..., Any]) -> Callable[..., Any]:
        def send(rule: Any, original_event: dict[str, Any], transform_input: bool = True) -> None:
            hooks().publish(rule.account_id, rule.region_name, dict(original_event), rules=[rule])

        return send

    replace(EventsBackend, "put_events", put_events)
    replace(Rule, "send_to_targets", send_to_targets)

    # moto takes any operator it does not know for a match.
    def put_rule(original: Callable[..., Any]) -> Callable[..., Any]:
        def put(backend: Any, *args: Any, **kwargs: Any) -> Any:
            if kwargs.get("event_pattern"):
                _compile(kwargs["event_pattern"])
            return original(backend, *args, **kwargs)

        return put

    # moto answers TestEventPattern with nothing.
    def answer_test(_: Callable[..., Any]) -> Callable[..., Any]:
        def test(response: Any) -> str:
            matches = _compile(response._get_param("EventPattern"))
            return json.dumps({"Result": matches(_parse_event(response._get_param("Event")))})

        return test

    replace(EventsBackend, "put_rule", put_rule)
    replace(EventsHandler, "test_event_pattern", answer_test)


def _compile(pattern: str) -> Matcher:
    from moto.events.exceptions import InvalidEventPatternException

    try:
        return compile_pattern(pattern)
    except FormatError as error:
        raise InvalidEventPatternException(reason=str(error).split("Reason: ", 1)[-1]) from error


def _parse_event(text: str) -> dict[str, Any]:
    from moto.events.exceptions import ValidationException

    try:
        event = json.loads(text)
    except ValueError as error:
        raise ValidationException("Parameter Event is not valid.") from error
    missing = _EVENT_MEMBERS - set(event) if isinstance(event, dict) else _EVENT_MEMBERS
    if missing:
        raise ValidationException(
            f"Parameter Event is not valid. Reason: missing {', '.join(sorted(missing))}"
        )
    return dict(event)
