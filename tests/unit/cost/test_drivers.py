"""What a deployment costs by its load."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from opentrail.branches.cost import (
    Keeping,
    Load,
    Measured,
    Workload,
    estimate,
    largest,
    load_prices,
    own_cost,
)
from opentrail.branches.cost.storage import MONTH_DAYS

PRICES = load_prices()
NOTHING = replace(Load(**dict.fromkeys((field.name for field in fields(Load)), 0.0)), days=MONTH_DAYS)


def bill(load: Load, keys: int = 2) -> dict[str, float]:
    return {line.name: line.dollars for line in own_cost(load, Keeping(), PRICES, keys=keys)}


def more(**counts: float) -> dict[str, float]:
    """What ``counts`` add to the bill of a month without events, by driver."""
    idle, busy = bill(NOTHING), bill(replace(NOTHING, **counts))
    added = {name: round(busy[name] - idle[name], 3) for name in busy}
    return {name: dollars for name, dollars in added.items() if dollars}


def test_a_month_without_events_costs_what_stands_and_ticks() -> None:
    idle = bill(NOTHING)

    assert idle["CloudWatch alarms, metrics, dashboard"] == pytest.approx(20 * 0.10 + 13 * 0.30 + 3.00)
    assert idle["KMS keys"] == 2.0
    assert idle["SQS requests"] == pytest.approx(2 * 5 * MONTH_DAYS * 86_400 / 20 * 0.4e-6)
    assert idle["S3 PUT requests"] == idle["S3 storage of log files"] == idle["EventBridge"] == 0


def test_a_million_messages_are_sent_one_by_one_and_taken_by_tens() -> None:
    assert more(messages=1e6) == {"SQS requests": 0.48}


def test_a_file_of_one_chunk_takes_six_units_to_write_and_close() -> None:
    assert more(trail_files=1e6, claims=1e6)["DynamoDB writes"] == 6 * 0.625


def test_the_index_of_an_event_is_put_and_taken_out_three_times_and_then_stays_in_a_block() -> None:
    in_block = 14 * 1.25 + 64 * 100 / 17_000  # bytes

    added = more(history_events=1e6)

    assert added["DynamoDB writes"] == round(2 * (6 * 14 + in_block) / 1024 * 0.625, 3)


def test_a_digest_is_two_objects_and_two_signatures() -> None:
    added = more(digests=1e6)

    assert (added["S3 PUT requests"], added["KMS requests"]) == (2 * 5, 2 * 3)


def test_calls_of_other_accounts_and_regions_are_paid_on_the_bus() -> None:
    assert more(forwarded=1e6) == {"EventBridge": 1.0}


def test_aws_own_trail_is_paid_for_the_data_events_it_hands_over() -> None:
    assert more(bought=1e6) == {"AWS's own trail, for data and network activity events": 1.0}


def test_every_key_costs_a_dollar_a_month() -> None:
    assert bill(NOTHING, keys=14)["KMS keys"] == 14.0


def test_what_aws_measured_goes_before_what_is_modelled() -> None:
    measured = Measured(runs=1e6, gb_seconds=1e6, writes=1e6, reads=1e6)

    lines = {line.name: line for line in own_cost(NOTHING, Keeping(), PRICES, measured=measured)}

    assert lines["Lambda requests"].dollars == 0.2
    assert lines["Lambda time"].dollars == 13.3334
    assert lines["DynamoDB writes"].dollars == 0.625
    assert lines["DynamoDB reads"].dollars == 0.125
    assert lines["DynamoDB reads"].unit == "units, measured"


def test_half_a_month_costs_half_of_what_stands() -> None:
    assert bill(replace(NOTHING, days=MONTH_DAYS / 2))["KMS keys"] == 1.0


def test_the_largest_driver_comes_first() -> None:
    load, _ = estimate(Workload(events=1e8, places=50))

    lines = own_cost(load, Keeping(), PRICES)

    assert lines[0] == largest(lines)
    assert [line.dollars for line in lines] == sorted((line.dollars for line in lines), reverse=True)
