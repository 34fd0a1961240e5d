"""What ``opentrail lookup`` and ``opentrail tail`` are asked for, and how LookupEvents is asked for it.

LookupEvents takes one attribute; all others are checked here, on what it
answers. The attribute that leaves least is sent.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, TypeVar

import click
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

from opentrail.cli._shown_event import ShownEvent

_WILD = "*"
_AGO = re.compile(r"(\d+)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DOMAIN = ".amazonaws.com"
EXIT_REFUSED, EXIT_UNREACHABLE = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What an event must have: of each field one of its values; an empty field asks for nothing.

    ``*`` in a value stands for any text; everything else is compared as it is.
    """

    event_id: tuple[str, ...] = ()
    access_key: tuple[str, ...] = ()
    resource: tuple[str, ...] = ()
    principal: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    resource_type: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    ip: tuple[str, ...] = ()
    error: tuple[str, ...] = ()
    errors: bool = False  # only calls that failed
    writes: bool = False
    reads: bool = False
    insights: bool = False

    def request(self) -> dict[str, Any]:
        """The parameters of LookupEvents that leave out most, and nothing that is wanted."""
        asked: dict[str, Any] = {"EventCategory": "insight"} if self.insights else {}
        attribute = next(self._attributes(), None)
        if attribute is not None:
            asked["LookupAttributes"] = [
                dict(zip(("AttributeKey", "AttributeValue"), attribute, strict=True))
            ]
        return asked

    def match(self, event: ShownEvent) -> bool:
        """True when ``event`` has everything asked for."""
        return (
            all(_fits(getattr(self, name), of(event)) for name, of in _NAMES_OF.items())
            and (not self.errors or bool(event.error))
            and (not self.writes or not event.read_only)
            and (not self.reads or event.read_only)
        )

    def _attributes(self) -> Iterator[tuple[str, str]]:
        """Attributes that every wanted event has, the rarest first. Principals go by more names than one."""
        keys = _INSIGHT_KEYS if self.insights else _KEYS
        for field, key in keys.items():
            values = getattr(self, field)
            if len(values) == 1 and _WILD not in values[0]:
                yield key, full_source(values[0]) if field == "source" else values[0]
        if (self.writes or self.reads) and not self.insights:
            yield "ReadOnly", "true" if self.reads else "false"


_INSIGHT_KEYS = {"event_id": "EventId", "name": "EventName", "source": "EventSource"}
_KEYS = {
    "event_id": "EventId",
    "access_key": "AccessKeyId",
    "resource": "ResourceName",
    "name": "EventName",
    "resource_type": "ResourceType",
    "source": "EventSource",
}
_NAMES_OF: dict[str, Callable[[ShownEvent], Sequence[str]]] = {
    "event_id": lambda event: (event.id,),
    "access_key": lambda event: (event.access_key,),
    "resource": lambda event: event.resources,
    "principal": lambda event: event.principals,
    "name": lambda event: (event.name,),
    "resource_type": lambda event: event.resource_types,
    "source": lambda event: (event.source, event.service),
    "ip": lambda event: (event.ip,),
    "error": lambda event: (event.error,),
}


def full_source(text: str) -> str:
    """``iam.amazonaws.com`` for ``iam``."""
    return text if "." in text else text + _DOMAIN


def _fits(wanted: Sequence[str], names: Sequence[str]) -> bool:
    return not wanted or any(_is_like(name, pattern) for pattern in wanted for name in names)


def _is_like(name: str, pattern: str) -> bool:
    # Only * is special: [ and ? are ordinary in ARNs and names.
    return fnmatchcase(name, re.sub(r"([\[?])", r"[\1]", pattern))


class When(click.ParamType[datetime]):
    """A time on the command line: ISO 8601 (UTC without a zone), or how long ago: ``15m``, ``7d``."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it."""
        if isinstance(value, datetime):
            return value
        ago = _AGO.fullmatch(value)
        try:
            if ago:
                return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
            moment = datetime.fromisoformat(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a time such as 2026-01-10T04:00:00Z, 15m or 7d", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_Command = TypeVar("_Command", bound=Callable[..., Any])
_OPTIONS = (
    click.option("--name", multiple=True, help="eventName, e.g. CreateUser or 'Create*'."),
    click.option("--source", multiple=True, help="eventSource, e.g. iam or iam.amazonaws.com."),
    click.option(
        "--principal",
        multiple=True,
        help="Who called: name of a user, session or role, or an ARN.",
    ),
    click.option("--resource", multiple=True, help="Name of a resource of the event."),
    click.option("--resource-type", multiple=True, help="e.g. AWS::IAM::User."),
    click.option("--access-key", multiple=True, help="The caller's access key ID."),
    click.option("--event-id", multiple=True, help="eventID."),
    click.option("--ip", multiple=True, help="sourceIPAddress."),
    click.option("--error", multiple=True, help="errorCode, e.g. AccessDenied or 'AccessDenied*'."),
    click.option("--errors", is_flag=True, help="Only calls that failed."),
    click.option("--writes", is_flag=True, help="Only calls that change something."),
    click.option("--reads", is_flag=True, help="Only calls that change nothing."),
    click.option("--insights", is_flag=True, help="Insights events in place of management events."),
    click.option("--region", multiple=True, help="Region to look in; may be given more than once."),
)


def filter_options(command: _Command) -> _Command:
    """Add the options both verbs share; those of ``Filters`` arrive by its fields' names."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_filters(options: dict[str, Any]) -> Filters:
    """The filters among a command's options.

    Raises:
        click.UsageError: two that exclude each other.
    """
    if options["reads"] and options["writes"]:
        raise click.UsageError("--reads and --writes leave nothing")
    return Filters(**{field.name: options[field.name] for field in fields(Filters)})


def pages(client: Any, request: dict[str, Any]) -> Iterator[list[ShownEvent]]:
    """Every page of LookupEvents, newest first.

    Raises:
        ClientError: CloudTrail refused.
        BotoCoreError: it did not answer.
    """
    token: dict[str, str] = {}
    while True:
        answer = client.lookup_events(**request, **token)
        yield [ShownEvent(event) for event in answer["Events"]]
        if "NextToken" not in answer:
            return
        token = {"NextToken": answer["NextToken"]}


class LookupFailedError(click.ClickException):
    """LookupEvents was refused (exit code 1), or nothing answered (2)."""

    def __init__(self, error: BotoCoreError | ClientError) -> None:
        if isinstance(error, ClientError):
            super().__init__(f"LookupEvents: {error.response['Error'].get('Message') or error}")
        else:
            super().__init__(_unanswered(error))
        self._unreachable = isinstance(error, BotoCoreError)

    @property
    def exit_code(self) -> int:  # type: ignore[override]  # click's is a class attribute
        """What the process ends with."""
        return EXIT_UNREACHABLE if self._unreachable else EXIT_REFUSED


def _unanswered(error: BotoCoreError) -> str:
    """What is wrong, and what the laptop's user forgot where that may be it."""
    text = str(error).rstrip(".")
    if isinstance(error, EndpointConnectionError):
        return f"{text}. Is `opentrail up` running there?" if os.environ.get("AWS_ENDPOINT_URL") else text
    if isinstance(error, NoCredentialsError) and not os.environ.get("AWS_ENDPOINT_URL"):
        return f"{text}. For `opentrail up`, set AWS_ENDPOINT_URL and any credentials."
    return text
