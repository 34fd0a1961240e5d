"""A month that was not metered: counts follow from windows, places and pollers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.branches.cost import Workload, estimate
from opentrail.branches.cost.estimate import occupied

SLACK = 1 + 1e-6

workloads = st.builds(
    Workload,
    events=st.just(0.0) | st.floats(1e-3, 1e10),
    data_share=st.floats(0, 1),
    places=st.integers(1, 1000),
    trails=st.integers(1, 5),
    insights_types=st.integers(0, 2),
)


@given(slots=st.floats(0, 1e9), things=st.floats(0, 1e9))
def test_no_more_slots_are_taken_than_there_are_slots_or_things(slots: float, things: float) -> None:
    assert 0 <= occupied(slots, things) <= min(slots, things) * SLACK + 1e-6


@given(workload=workloads)
def test_no_step_makes_more_of_what_it_gets(workload: Workload) -> None:
    load, _ = estimate(workload)

    assert load.chunks <= load.messages * SLACK
    assert load.history_files <= load.chunks * SLACK
    assert load.trail_files <= load.chunks * workload.trails * SLACK
    assert load.deliver_runs <= load.chunks * SLACK


def test_a_busy_place_fills_every_window_of_both_pollers() -> None:
    load, _ = estimate(Workload(events=1e9))

    assert load.trail_files == pytest.approx(load.deliver_runs)
    assert load.deliver_runs == pytest.approx(2 * 365.25 * 86_400 / 12 / 300)


def test_a_quiet_place_has_a_file_for_each_event() -> None:
    load, _ = estimate(Workload(events=10))

    assert load.trail_files == pytest.approx(10, rel=0.01)


def test_the_trails_share_chunks() -> None:
    one, _ = estimate(Workload(events=1e6, places=3))
    three, _ = estimate(Workload(events=1e6, places=3, trails=3))

    assert three.chunks == one.chunks
    assert three.claims == 2 * one.claims  # three trails and history, where there were one and history


def test_more_trails_are_more_copies_of_management_events_only() -> None:
    _, usage = estimate(Workload(events=1e6, data_share=0.25, trails=3))

    assert (usage.first, usage.copies, usage.data) == (750_000, 1_500_000, 250_000)


@pytest.mark.parametrize(("types", "analysed"), [(0, 0), (1, 30_000), (2, 330_000)])
def test_insights_analyse_writes_once_for_each_type(types: int, analysed: int) -> None:
    """CloudTrail user guide, "Costs for Insights events", example 1."""
    _, usage = estimate(Workload(events=300_000, write_share=0.1, insights_types=types))

    assert usage.analysed == analysed
