"""``opentrail tail``: events as they happen."""

from __future__ import annotations

import json
import secrets
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from opentrail.adapters.aws.clients import client
from opentrail.cli._event_filters import (
    Filters,
    LookupFailedError,
    When,
    filter_options,
    pages,
    take_filters,
)
from opentrail.cli._shown_event import ShownEvent

# CloudTrail delivers most events within 5 minutes, some after 15 (user guide, "How CloudTrail works").
LATENESS = timedelta(minutes=15)
OVERLAP = timedelta(seconds=30)  # looked at again by every poll; all of LATENESS only by a sweep
POLLS_PER_SWEEP = 30
_THROTTLED = ("ThrottlingException", "Throttling", "TooManyRequestsException")
_SLOWER = 5  # times the interval, after CloudTrail said that it is asked too often

EPILOG = """\b
Examples:
  opentrail tail
  opentrail tail --errors
  opentrail tail --principal alice --writes --since 10m
  opentrail tail --source iam --name 'Create*' --output json | jq .requestParameters
"""


@click.command("tail", epilog=EPILOG)
@filter_options
@click.option(
    "--since", type=When(), help="Begin with events since then: 10m, 2026-01-10T04:00Z.  [default: now]"
)
@click.option(
    "--interval",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.1, 3600),
    help="Seconds between two looks; AWS allows two a second.",
)
@click.option(
    "--output",
    default="text",
    show_default=True,
    type=click.Choice(["text", "json"]),
    help="A line of text, or the record as one line of JSON.",
)
@click.option("--json", "output", flag_value="json", help="The same as --output json.")
@click.option("--color/--no-color", default=None, help="Default: when standard output is a terminal.")
def command(
    since: datetime | None,
    interval: float,
    output: str,
    color: bool | None,
    region: tuple[str, ...],
    **options: Any,
) -> None:
    """Print each event that fits every filter once, as it arrives, until Ctrl-C.

    A line says when, who, where, what, on what, and the error if it failed. An option given
    more than once takes any of its values; * stands for any text. Asks LookupEvents of
    AWS_ENDPOINT_URL, or of AWS itself when that is not set, every interval.

    Exit code 1: refused. 2: nothing answers.
    """
    filters = take_filters(options)
    agent = f"opentrail-tail/{secrets.token_hex(4)}"
    started = since or datetime.now(UTC)
    followers = [
        Follower(client("cloudtrail", name, agent=agent), filters, since=started, agent=agent)
        for name in region or ("",)
    ]
    try:
        _follow(followers, interval, output, color)
    except KeyboardInterrupt:
        sys.exit(0)
    except (ClientError, BotoCoreError) as error:
        raise LookupFailedError(error) from error


def _follow(followers: list[Follower], interval: float, output: str, color: bool | None) -> None:
    rest = threading.Event()  # never set: its wait is a sleep that Ctrl-C ends at once
    while True:
        pause = interval
        for follower in followers:
            try:
                for event in follower.poll():
                    click.echo(_FORMS[output](event), color=color)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _THROTTLED:
                    raise
                pause = interval * _SLOWER
        rest.wait(pause)


@dataclass(slots=True)
class Follower:
    """Asks one Region again and again, and answers each event once.

    Events arrive late and out of order, so each poll looks again at the last
    half minute, and every thirtieth at the last quarter of an hour.

    Args:
        client: CloudTrail's.
        filters: what an event must have.
        since: the earliest EventTime.
        agent: in the user agent of ``client``: calls that carry it are our own polls and are not answered.
    """

    client: Any
    filters: Filters
    since: datetime
    agent: str = ""
    _newest: datetime | None = None
    _seen: dict[str, datetime] = field(default_factory=dict)
    _polls: int = 0

    def poll(self) -> list[ShownEvent]:
        """What is new, oldest first.

        Raises:
            ClientError: CloudTrail refused; the next poll finds what this one did not.
            BotoCoreError: it did not answer.
        """
        start = self._start()
        found = [event for event in self._events(start) if event.id not in self._seen]
        found.reverse()
        for event in found:
            self._seen[event.id] = event.moment
        self._forget()
        self._polls += 1
        return [event for event in found if self.filters.match(event) and not self._is_ours(event)]

    def _start(self) -> datetime:
        if self._newest is None:
            return self.since.replace(microsecond=0)
        back = LATENESS if self._polls % POLLS_PER_SWEEP == 0 else OVERLAP
        return max(self._newest - back, self.since).replace(microsecond=0)

    def _events(self, start: datetime) -> Iterator[ShownEvent]:
        for page in pages(self.client, {**self.filters.request(), "StartTime": start}):
            yield from page

    def _forget(self) -> None:
        """Keep what a poll may meet again."""
        if not self._seen:
            return
        self._newest = max(self._seen.values())
        horizon = self._newest - 2 * LATENESS
        self._seen = {name: moment for name, moment in self._seen.items() if moment >= horizon}

    def _is_ours(self, event: ShownEvent) -> bool:
        return bool(self.agent) and self.agent in event.agent


def as_line(event: ShownEvent) -> str:
    """``04:20:31Z  alice  iam CreateUser  us-east-1  bob  AccessDenied: ...``, in colours."""
    what = click.style(f"{event.service} {event.name}", fg=None if event.read_only else "cyan", bold=True)
    parts = [
        click.style(event.time, dim=True),
        click.style(event.who, fg="green"),
        what,
        click.style(event.region, dim=True),
        *event.resources[:1],
        *([click.style(_error(event), fg="red")] if event.error else []),
    ]
    return "  ".join(part for part in parts if part)


def _error(event: ShownEvent) -> str:
    return f"{event.error}: {event.error_message}" if event.error_message else event.error


def as_record(event: ShownEvent) -> str:
    """The record on one line."""
    return json.dumps(event.record, separators=(",", ":"))


_FORMS = {"text": as_line, "json": as_record}
