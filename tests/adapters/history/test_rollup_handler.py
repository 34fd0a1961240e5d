"""The rollup function as Lambda calls it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.rollup import handler as rollup
from opentrail.adapters.aws.clients import client
from opentrail.branches.history.blocks import MIN_EVENTS
from opentrail.format.times import to_iso
from opentrail.settings import RollupSettings
from tests.support.line import Line
from tests.support.records import envelope, make_record, to_bytes


@dataclass
class Context:
    """What the function reads of a Lambda context."""

    function_name: str = "rollup"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:rollup"
    aws_request_id: str = "request"
    left: int = 900_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left


Invoke = Callable[..., dict[str, Any]]


@pytest.fixture
def line(clients: Callable[[str], Any]) -> Line:
    """A line with three segments at noon of each of the last three days, and three of just now."""
    now = datetime.now(UTC)
    noon = (now - rollup.SETTLED).replace(hour=12, minute=0, second=0, microsecond=0)
    line = Line(clients)
    for began in (*(noon - timedelta(days=days) for days in (3, 2, 1)), now - timedelta(minutes=15)):
        line.now = began
        for _ in range(3):
            record = make_record(eventTime=to_iso(line.now))
            line.record([envelope(to_bytes(record))])
            line.deliver(line.queued_chunks())
            line.wait(minutes=5)
    return line


@pytest.fixture
def invoke(line: Line, monkeypatch: pytest.MonkeyPatch) -> Iterator[Invoke]:
    settings = RollupSettings(
        history_table=f"{line.name}-history", history_bucket=line.history_bucket, max_events=100
    )
    for name, value in settings.to_env().items():
        monkeypatch.setenv(name, value)
    yield lambda event, left=900_000: rollup.handler(event, Context(left=left))
    rollup.wired.cache_clear()
    client.cache_clear()


def test_days_that_are_over_are_rolled_up_and_the_last_hours_are_not(invoke: Invoke, line: Line) -> None:
    assert invoke({}) == {"segments": 9, "into": 3, "in_blocks": 0, "places_left": 0}

    assert line.client("dynamodb").scan(TableName=f"{line.name}-history")["Count"] == 3 + 3


def test_it_goes_back_as_far_as_it_is_told(invoke: Invoke) -> None:
    assert invoke({"days": 1}) == {"segments": 3, "into": 1, "in_blocks": 0, "places_left": 0}


@pytest.mark.parametrize("days", ["90", 0, -1, None])
def test_what_is_no_number_of_days_means_three(invoke: Invoke, days: Any) -> None:
    assert invoke({"days": days})["segments"] == 9


def test_what_there_is_no_time_for_is_left_to_the_next_run(invoke: Invoke) -> None:
    assert invoke({}, left=1000) == {"segments": 0, "into": 0, "in_blocks": 0, "places_left": 1}


def test_days_with_many_events_go_into_a_block_once_they_are_rolled_up(invoke: Invoke, line: Line) -> None:
    line.now = (datetime.now(UTC) - rollup.SETTLED - timedelta(days=1)).replace(hour=13, minute=0)
    for _ in range(2):
        line.record(
            [envelope(to_bytes(make_record(eventTime=to_iso(line.now)))) for _ in range(MIN_EVENTS // 2)]
        )
        line.deliver(line.queued_chunks())
        line.wait(minutes=5)

    answer = invoke({})

    # Each day's small segments have become one; the two large ones stay as they are; the quiet days before
    # go into the block with them.
    assert answer == {"segments": 9, "into": 3, "in_blocks": 5, "places_left": 0}
    assert invoke({}) == {"segments": 0, "into": 0, "in_blocks": 0, "places_left": 0}
