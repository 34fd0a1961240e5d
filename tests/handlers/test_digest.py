"""The digest function: a schedule in, signed digests out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lambdas.digest import handler as digest
from tests.handlers.conftest import Invoke
from tests.support.line import Line
from tests.support.records import REGION


def start_hours_ago(line: Line, hours: float) -> str:
    """A trail that has been logging for a while by the function's own clock."""
    moment = (datetime.now(UTC) - timedelta(hours=hours)).timestamp()
    return line.start_trail(started_at=moment, validation_since=moment).arn


def test_every_window_that_is_over_gets_a_digest(line: Line, invoke: Invoke) -> None:
    start_hours_ago(line, 2)

    answer = invoke(digest, line.digest_settings(), {})

    assert answer["failed"] == 0
    assert answer["digests"] == len(line.digests())
    assert len(line.digests()) in (2, 3)  # 3 when a boundary lies within the second of the start


def test_told_to_close_it_also_ends_the_running_window(line: Line, invoke: Invoke) -> None:
    arn = start_hours_ago(line, 0)

    answers = [invoke(digest, line.digest_settings(), event) for event in ({"close": True}, {})]

    assert answers == [{"digests": 1, "failed": 0}, {"digests": 0, "failed": 0}]
    assert line.trails.status(arn, REGION).latest_digest_delivery_error == ""
    assert line.trails.status(arn, REGION).latest_digest_delivery_time > 0


def test_trouble_with_a_chain_is_counted_and_shows_in_the_trails_status(line: Line, invoke: Invoke) -> None:
    moment = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
    trail = line.start_trail(bucket="no-such-bucket", started_at=moment, validation_since=moment)

    answer = invoke(digest, line.digest_settings(), {"close": True})

    assert answer == {"digests": 0, "failed": 1}
    assert line.trails.status(trail.arn, REGION).latest_digest_delivery_error == "NoSuchBucket"


def test_anything_but_true_does_not_close(line: Line, invoke: Invoke) -> None:
    start_hours_ago(line, 0)

    answers = [invoke(digest, line.digest_settings(), {"close": value})["digests"] for value in ("true", 1)]

    assert answers == [0, 0]
