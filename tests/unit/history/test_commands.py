"""What ``lookup`` and ``tail`` ask LookupEvents for, keep and print; the API in memory answers them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
)
from click.testing import CliRunner

from opentrail.cli import lookup, tail
from opentrail.cli._event_filters import Filters, LookupFailedError, When
from opentrail.cli._shown_event import ShownEvent
from opentrail.cli.tail import LATENESS, POLLS_PER_SWEEP, Follower
from opentrail.format.times import to_iso
from tests.support.records import make_record
from tests.unit.api.fakes import NOW, World

SESSION = {
    "type": "AssumedRole",
    "principalId": "AROAEXAMPLE:ci",
    "arn": "arn:aws:sts::123456789012:assumed-role/Deploy/ci",
    "sessionContext": {
        "sessionIssuer": {"arn": "arn:aws:iam::123456789012:role/Deploy", "userName": "Deploy"}
    },
}


class Client:
    """boto3's client of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: list[dict[str, Any]] = []

    def lookup_events(self, **members: Any) -> dict[str, Any]:
        self.asked.append(members)
        sent: dict[str, Any] = {
            n: v.timestamp() if isinstance(v, datetime) else v for n, v in members.items()
        }
        reply = self.world.ask("LookupEvents", **sent)
        answer: dict[str, Any] = json.loads(reply.body)
        if reply.status != 200:
            raise ClientError(
                {"Error": {"Code": answer["__type"], "Message": answer["Message"]}}, "LookupEvents"
            )
        for event in answer["Events"]:
            event["EventTime"] = datetime.fromtimestamp(event["EventTime"], UTC)
        return answer


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def asked(world: World, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What LookupEvents is asked by the command."""
    client = Client(world)
    monkeypatch.setattr(lookup, "client", lambda *_, **__: client)
    return client.asked


def event(number: int, **changes: Any) -> dict[str, Any]:
    time = to_iso(NOW - timedelta(seconds=number))
    return make_record(eventID=f"e{number:04d}", eventTime=time, **changes)


def found(*options: str) -> list[str]:
    """The eventIDs that ``opentrail lookup`` shows with these options."""
    done = CliRunner().invoke(lookup.command, [*options, "--output", "json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return [shown["EventId"] for shown in json.loads(done.output)]


@pytest.fixture
def past(world: World) -> World:
    """A few events of everything there is."""
    world.history.add(
        event(1, userIdentity=SESSION, eventName="DeleteUser", errorCode="AccessDenied", errorMessage="no"),
        event(2, eventName="GetUser", readOnly=True, sourceIPAddress="198.51.100.7"),
        event(
            3, eventSource="s3.amazonaws.com", eventName="CreateBucket", requestParameters={"bucketName": "b"}
        ),
        event(4, userIdentity={"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}),
    )
    return world


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", [1, 2, 3, 4]),
        ("--limit 2", [1, 2]),
        ("--limit 0", [1, 2, 3, 4]),
        ("--name GetUser", [2]),
        ("--name GetUser --name DeleteUser", [1, 2]),
        ("--name *User", [1, 2, 4]),
        ("--name Create*", [3, 4]),
        ("--name create*", []),
        ("--source iam", [1, 2, 4]),
        ("--source iam.amazonaws.com", [1, 2, 4]),
        ("--source s*", [3]),
        ("--principal alice", [2, 3]),
        ("--principal ci", [1]),
        ("--principal Deploy", [1]),
        ("--principal arn:aws:iam::*:role/Deploy", [1]),
        ("--principal ec2.amazonaws.com", [4]),
        ("--resource b", [3]),
        ("--resource-type AWS::S3::*", [3]),
        ("--access-key AKIAEXAMPLE", [2, 3]),
        ("--event-id e0003", [3]),
        ("--ip 198.51.100.*", [2]),
        ("--errors", [1]),
        ("--error AccessDenied", [1]),
        ("--error Throttl*", []),
        ("--writes", [1, 3, 4]),
        ("--reads", [2]),
        ("--errors --principal ci --source iam --name Delete* --writes", [1]),
        ("--errors --principal alice", []),
        ("--name [A]*", []),
        ("--name GetUse?", []),
    ],
)
@pytest.mark.usefixtures("asked", "past")
def test_filters(options: str, expected: list[int]) -> None:
    assert found(*options.split()) == [f"e{number:04d}" for number in expected]


@pytest.mark.parametrize(
    ("options", "attribute"),
    [
        ("--name GetUser --reads", ("EventName", "GetUser")),
        ("--source iam --resource b --name X", ("ResourceName", "b")),
        ("--source iam", ("EventSource", "iam.amazonaws.com")),
        ("--name Get* --writes", ("ReadOnly", "false")),
        ("--name A --name B", None),
        ("--principal alice", None),
        ("--insights --name X --access-key Y", ("EventName", "X")),
        ("--insights --writes", None),
    ],
)
def test_the_rarest_attribute_is_sent(
    asked: list[dict[str, Any]], options: str, attribute: tuple[str, str] | None
) -> None:
    found(*options.split())

    sent = asked[0].get("LookupAttributes")
    assert sent == (attribute and [{"AttributeKey": attribute[0], "AttributeValue": attribute[1]}])
    assert ("EventCategory" in asked[0]) is ("--insights" in options)


def test_pages_are_read_only_as_far_as_needed(world: World, asked: list[dict[str, Any]]) -> None:
    world.history.add(*map(event, range(120)))

    assert len(found()) == 50
    assert len(asked) == 1
    assert len(found("--limit", "0")) == 120


def test_ranges(world: World, asked: list[dict[str, Any]]) -> None:
    world.history.add(*map(event, range(10)))

    assert found("--since", "2026-01-10T04:20:25Z", "--until", "2026-01-10T04:20:26") == ["e0005", "e0006"]
    assert asked[0]["StartTime"] == datetime(2026, 1, 10, 4, 20, 25, tzinfo=UTC)


@pytest.mark.usefixtures("asked")
def test_two_that_exclude_each_other() -> None:
    done = CliRunner().invoke(lookup.command, ["--reads", "--writes"])

    assert (done.exit_code, "leave nothing" in done.output) == (2, True)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7200), ("7d", 604_800), ("1w", 604_800)]
)
def test_times_ago(text: str, seconds: int) -> None:
    moment = When().convert(text, None, None)

    assert abs((datetime.now(UTC) - moment).total_seconds() - seconds) < 60


@pytest.mark.parametrize("text", ["yesterday", "15", "m15", "2026-13-01", "99999999999999w", ""])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a time"):
        When().convert(text, None, None)


def test_options_as_the_other_verbs_have_them(asked: list[dict[str, Any]], past: Any) -> None:
    done = CliRunner().invoke(lookup.command, ["--from", "2026-01-10", "--to", "2026-01-11", "--json"])

    assert [request["StartTime"].day for request in asked[:1]] == [10]
    assert [request["EndTime"].day for request in asked[:1]] == [11]
    assert isinstance(json.loads(done.output), list)


@pytest.mark.parametrize(
    ("error", "endpoint", "said"),
    [
        (EndpointConnectionError(endpoint_url="http://x"), "http://x", "Is `opentrail up` running there?"),
        (EndpointConnectionError(endpoint_url="https://aws"), "", '"https://aws"'),
        (NoCredentialsError(), "", "credentials. For `opentrail up`, set AWS_ENDPOINT_URL"),
        (NoRegionError(), "http://x", "You must specify a region"),
    ],
)
def test_what_is_wrong_when_nothing_answers(
    monkeypatch: pytest.MonkeyPatch, error: BotoCoreError, endpoint: str, said: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)

    failed = LookupFailedError(error)

    assert failed.exit_code == 2
    assert said in failed.message
    assert ("opentrail up" in failed.message) == ("opentrail up" in said)


@pytest.mark.usefixtures("asked", "past")
def test_csv() -> None:
    done = CliRunner().invoke(lookup.command, ["--name", "DeleteUser", "--output", "csv"])

    (row,) = csv.DictReader(io.StringIO(done.output))
    assert (row["eventID"], row["username"], row["errorMessage"]) == ("e0001", "ci", "no")


@pytest.mark.usefixtures("asked", "past")
def test_table_is_aligned_and_cuts_nothing() -> None:
    lines = CliRunner().invoke(lookup.command, []).output.splitlines()

    assert [line.find("Create") for line in lines[3:]] == [lines[0].index("NAME")] * 2
    assert lines[4].split() == [
        "2026-01-10T04:20:27Z",
        "ec2.amazonaws.com",
        "iam",
        "CreateUser",
        "us-east-1",
        "bob",
    ]


# tail


def follow(world: World, since: datetime = NOW - timedelta(hours=1), **filters: Any) -> Follower:
    return Follower(Client(world), Filters(**filters), since=since, agent="opentrail-tail/me")


def names(events: list[ShownEvent]) -> list[str]:
    return [shown.id for shown in events]


def test_each_event_once_and_oldest_first(world: World) -> None:
    follower = follow(world)
    world.history.add(event(9), event(8))
    first = names(follower.poll())
    world.history.add(event(8), event(7))

    assert (first, names(follower.poll()), names(follower.poll())) == (["e0009", "e0008"], ["e0007"], [])


def test_more_events_at_once_than_a_page(world: World) -> None:
    world.history.add(*map(event, range(120)))

    assert len(follow(world).poll()) == 120


def test_nothing_from_before_it_began(world: World) -> None:
    world.history.add(event(100), event(5))

    assert names(follow(world, since=NOW - timedelta(seconds=50)).poll()) == ["e0005"]


def test_an_event_that_comes_late_is_met_by_a_sweep(world: World) -> None:
    follower = follow(world)
    world.history.add(event(0))
    follower.poll()
    world.history.add(event(600))

    polls = [names(follower.poll()) for _ in range(POLLS_PER_SWEEP)]

    assert polls == [[]] * (POLLS_PER_SWEEP - 1) + [["e0600"]]


def test_what_was_seen_is_forgotten_in_time(world: World) -> None:
    follower = follow(world, since=NOW - 5 * LATENESS)
    world.history.add(*(event(60 * number) for number in range(70)))
    assert len(follower.poll()) == 70

    assert follower.poll() == []
    assert len(follower._seen) == 31


def test_own_polls_are_hidden_and_others_are_not(world: World) -> None:
    world.history.add(
        event(1, eventName="LookupEvents", userAgent="Boto3/1.44 opentrail-tail/me"),
        event(2, eventName="LookupEvents", userAgent="Boto3/1.44 opentrail-tail/other"),
    )

    assert names(follow(world).poll()) == ["e0002"]


def test_filters_apply(world: World) -> None:
    world.history.add(event(1, errorCode="AccessDenied"), event(2))

    assert names(follow(world, errors=True).poll()) == ["e0001"]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "2026-01-10T04:20:30Z  alice  iam CreateUser  us-east-1  bob"),
        (
            {"errorCode": "AccessDenied"},
            "2026-01-10T04:20:30Z  alice  iam CreateUser  us-east-1  bob  AccessDenied",
        ),
        (
            {"errorCode": "AccessDenied", "errorMessage": "no", "requestParameters": None},
            "2026-01-10T04:20:30Z  alice  iam CreateUser  us-east-1  AccessDenied: no",
        ),
    ],
)
def test_a_line(world: World, changes: dict[str, Any], line: str) -> None:
    world.history.add(event(1, **changes))

    (shown,) = follow(world).poll()

    assert click.unstyle(tail.as_line(shown)) == line
    assert json.loads(tail.as_record(shown))["eventID"] == "e0001"


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the command rests each time; the third time it is interrupted."""
    waited: list[float] = []

    class Event:
        def wait(self, seconds: float) -> None:
            waited.append(seconds)
            if len(waited) == 3:
                raise KeyboardInterrupt

    monkeypatch.setattr("opentrail.cli.tail.threading.Event", Event)
    return waited


def run_tail(client: Any, monkeypatch: pytest.MonkeyPatch, *options: str) -> Any:
    monkeypatch.setattr(tail, "client", lambda *_, **__: client)
    return CliRunner().invoke(tail.command, ["--since", "2026-01-10", *options])


def test_ctrl_c_is_a_clean_end(world: World, rests: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    world.history.add(event(1))

    done = run_tail(Client(world), monkeypatch, "--interval", "0.5")

    assert (done.exit_code, done.output.count("\n"), rests) == (0, 1, [0.5, 0.5, 0.5])


def refuse(code: str) -> Callable[..., Any]:
    def lookup_events(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "Rate exceeded"}}, "LookupEvents")

    return lookup_events


def test_throttled_it_asks_less_often(
    world: World, rests: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(world)
    monkeypatch.setattr(client, "lookup_events", refuse("ThrottlingException"))

    assert (run_tail(client, monkeypatch).exit_code, rests) == (0, [5.0, 5.0, 5.0])


def test_refused_it_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(world)
    monkeypatch.setattr(client, "lookup_events", refuse("AccessDeniedException"))

    done = run_tail(client, monkeypatch)

    assert (done.exit_code, done.output) == (1, "Error: LookupEvents: Rate exceeded\n")
