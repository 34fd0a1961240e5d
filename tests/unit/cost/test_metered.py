"""Readings of the meter: put together, and the load they were."""

from __future__ import annotations

import pytest

from opentrail.branches.cost import combine, group, load_of, of_trails
from opentrail.model.event import Place
from opentrail.model.log_file import HISTORY
from opentrail.model.usage import Reading, Usage
from tests.support.values import ABROAD, HOME, make_trail

TRAIL, OTHER = make_trail().arn, make_trail(name="other").arn


def reading(destination: str = TRAIL, place: Place = HOME, day: str = "2026-01-10", **counts: int) -> Reading:
    return Reading(day=day, destination=destination, place=place, usage=Usage(**counts))


READINGS = [
    reading(first=2, data=1, events=3, arrived=3, chunks=2, claims=2, files=1, bytes=900),
    reading(place=ABROAD, first=1, events=1, arrived=1, chunks=1, claims=1, files=1, bytes=300),
    reading(OTHER, copies=2, events=2, claims=1, files=1, bytes=500),
    reading(HISTORY, events=2, claims=1, files=1, bytes=700),
    reading(HISTORY, ABROAD, events=1, claims=1, files=1, bytes=400),
]


def test_readings_of_one_chain_and_day_are_one() -> None:
    parts = [reading(first=1), reading(OTHER, copies=5), reading(first=2), reading(day="2026-01-11", first=4)]

    assert combine(parts) == [
        reading(first=3),
        reading(OTHER, copies=5),
        reading(day="2026-01-11", first=4),
    ]


@pytest.mark.parametrize(
    ("by", "events"),
    [
        ("trail", {TRAIL: 4, OTHER: 2}),
        ("region", {"eu-west-1": 1, "us-east-1": 5}),
        ("account", {HOME.account: 6}),
        ("day", {"2026-01-10": 6}),
    ],
)
def test_usage_of_trails_is_put_together_by(by: str, events: dict[str, int]) -> None:
    assert {name: usage.events for name, usage in group(of_trails(READINGS), by).items()} == events


def test_each_event_is_one_message_however_many_copies_there_are() -> None:
    load = load_of(READINGS, days=1.0, home=HOME)

    assert (load.messages, load.chunks, load.claims, load.copies) == (4, 3, 6, 9)


def test_files_of_trails_and_of_history_are_told_apart() -> None:
    load = load_of(READINGS, days=1.0, home=HOME)

    assert (load.trail_files, load.trail_bytes) == (3, 1700)
    assert (load.history_files, load.history_bytes, load.history_events) == (2, 1100, 3)


def test_what_is_not_in_history_aws_own_trail_was_paid_for() -> None:
    assert load_of(READINGS, days=1.0, home=HOME).bought == 1


def test_management_events_too_old_for_history_were_not_paid_for() -> None:
    backfilled = reading(first=900, events=900, arrived=900, chunks=1, claims=1, files=1, bytes=9000)

    assert load_of([*READINGS, backfilled], days=1.0, home=HOME).bought == 1


def test_events_of_other_places_came_over_a_bus() -> None:
    assert load_of(READINGS, days=1.0, home=HOME).forwarded == 1


def test_each_trail_has_a_digest_an_hour_for_each_account_and_region() -> None:
    assert load_of(READINGS, days=2.0, home=HOME).digests == 3 * 24 * 2


def test_nothing_delivered_is_no_load() -> None:
    load = load_of([], days=1.0, home=HOME)

    assert (load.messages, load.record_runs, load.deliver_runs, load.digests) == (0, 0, 0, 0)
