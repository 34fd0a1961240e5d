"""Schedules, driven by a clock the test moves."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opentrail.local.events import Bus
from opentrail.local.schedules import Schedules
from opentrail.local.targets import Targets
from opentrail.local.transport import Clients
from tests.adapters.local.conftest import Notes, bodies, make_queue

START = datetime(2026, 11, 23, 18, 0, 0, tzinfo=UTC)


class Wall:
    """A clock, schedules that read it, and the API calls they made."""

    def __init__(self, periods: dict[str, int] | None = None) -> None:
        self.now = START
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        bus = Bus(Targets(lambda function, payload: None))
        self.schedules = Schedules(
            bus,
            call_api=lambda service, operation, parameters: self.calls.append(
                (service, operation, parameters)
            ),
            clock=lambda: self.now,
            periods=periods,
        )
        self.schedules.tick(self.now)

    def move(self, **by: int) -> int:
        """Move the clock and tick; return how many schedules fired."""
        self.now += timedelta(**by)
        return self.schedules.tick(self.now)


pytestmark = pytest.mark.usefixtures("notes")


def rule(clients: Clients, expression: str, state: str = "ENABLED", **target: Any) -> tuple[str, str]:
    """A scheduled rule to a new queue; return the queue's URL and ARN."""
    url, queue = make_queue(clients)
    clients("events").put_rule(Name="clock", ScheduleExpression=expression, State=state)
    clients("events").put_targets(Rule="clock", Targets=[{"Id": "1", "Arn": queue, **target}])
    return url, queue


def schedule(clients: Clients, expression: str, **settings: Any) -> str:
    """A schedule of Scheduler to a new queue; return the queue's URL."""
    url, queue = make_queue(clients)
    target = {"Arn": queue, "RoleArn": "arn:aws:iam::123456789012:role/r", **settings.pop("target", {})}
    clients("scheduler").create_schedule(
        Name="clock",
        ScheduleExpression=expression,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
        **settings,
    )
    return url


def test_rate_fires_every_period(clients: Clients) -> None:
    url, _ = rule(clients, "rate(5 minutes)")
    wall = Wall()

    fired = [wall.move(minutes=1) for _ in range(11)]

    assert fired == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
    assert len(bodies(clients, url)) == 2


def test_scheduled_event_has_eventbridges_shape(clients: Clients) -> None:
    url, _ = rule(clients, "cron(5 * * * ? *)")
    wall = Wall()

    wall.move(minutes=5, seconds=2)

    event = json.loads(bodies(clients, url)[0])
    assert event.pop("id")
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-11-23T18:05:00Z",
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/clock"],
        "detail": {},
    }


def test_input_replaces_the_event(clients: Clients) -> None:
    url, _ = rule(clients, "rate(1 minute)", Input='{"close": true}')
    wall = Wall()

    wall.move(minutes=1)

    assert bodies(clients, url) == ['{"close": true}']


def test_disabled_rule_does_not_fire(clients: Clients) -> None:
    rule(clients, "rate(1 minute)", state="DISABLED")

    assert Wall().move(hours=1) == 0


def test_missed_moments_fire_once(clients: Clients) -> None:
    rule(clients, "rate(1 minute)")
    wall = Wall()

    assert [wall.move(hours=10), wall.move(seconds=1), wall.move(minutes=1)] == [1, 0, 1]


def test_changed_expression_is_planned_anew(clients: Clients) -> None:
    rule(clients, "rate(1 hour)")
    wall = Wall()
    clients("events").put_rule(Name="clock", ScheduleExpression="rate(1 minute)")

    assert [wall.move(seconds=59), wall.move(minutes=1)] == [0, 1]


def test_period_of_a_target_overrides_the_expression(clients: Clients) -> None:
    _, queue = rule(clients, "cron(5 * * * ? *)")
    wall = Wall(periods={queue: 10})

    assert [wall.move(seconds=9), wall.move(seconds=1), wall.move(seconds=10)] == [0, 1, 1]


def test_bad_expression_does_not_stop_the_others(clients: Clients) -> None:
    rule(clients, "rate(1 minute)")
    clients("events").put_rule(Name="broken", ScheduleExpression="cron(no cron at all ok)")

    assert Wall().move(minutes=1) == 1


def test_scheduler_sends_its_input(clients: Clients) -> None:
    url = schedule(clients, "rate(1 minute)", target={"Input": "hello"})
    wall = Wall()

    wall.move(minutes=1)

    assert bodies(clients, url) == ["hello"]


def test_scheduler_reads_its_time_zone(clients: Clients) -> None:
    schedule(clients, "cron(30 19 * * ? *)", ScheduleExpressionTimezone="Europe/Berlin")
    wall = Wall()

    assert [wall.move(minutes=29), wall.move(minutes=1)] == [0, 1]


def test_one_time_schedule_fires_once_and_can_delete_itself(clients: Clients) -> None:
    schedule(clients, "at(2026-11-23T18:01:00)", ActionAfterCompletion="DELETE")
    wall = Wall()

    assert [wall.move(minutes=1), wall.move(minutes=1)] == [1, 0]
    assert clients("scheduler").list_schedules()["Schedules"] == []


def test_schedule_keeps_to_its_dates(clients: Clients) -> None:
    schedule(
        clients,
        "rate(1 minute)",
        StartDate=START + timedelta(minutes=10),
        EndDate=START + timedelta(minutes=12),
    )
    wall = Wall()

    fired = [wall.move(minutes=1) for _ in range(15)]

    assert fired.index(1) >= 10
    assert sum(fired) <= 3
    assert fired[13:] == [0, 0]


def test_universal_target_calls_the_api(clients: Clients) -> None:
    arn = "arn:aws:scheduler:::aws-sdk:sqs:createQueue"
    schedule(clients, "rate(1 minute)", target={"Arn": arn, "Input": '{"QueueName": "made"}'})
    wall = Wall()

    wall.move(minutes=1)

    assert wall.calls == [("sqs", "createQueue", {"QueueName": "made"})]


def test_schedule_puts_events_on_a_bus(clients: Clients) -> None:
    url, queue = make_queue(clients, "second")
    clients("events").put_rule(Name="rule", EventPattern='{"source": ["mine"]}')
    clients("events").put_targets(Rule="rule", Targets=[{"Id": "1", "Arn": queue}])
    target = {
        "Arn": "arn:aws:events:us-east-1:123456789012:event-bus/default",
        "EventBridgeParameters": {"DetailType": "Tick", "Source": "mine"},
        "Input": '{"n":  1}',
    }
    schedule(clients, "rate(1 minute)", target=target)

    Wall().move(minutes=1)

    (body,) = bodies(clients, url)
    assert body.endswith('"detail":{"n":  1}}')
    assert json.loads(body)["detail-type"] == "Tick"


def test_description_tells_when_it_is_due(clients: Clients, notes: Notes) -> None:
    rule(clients, "cron(5 * * * ? *)")

    due = Wall().schedules.describe()

    assert due == {"arn:aws:events:us-east-1:123456789012:rule/clock": "2026-11-23T18:05:00Z"}
