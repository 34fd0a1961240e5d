"""docs/cost.md prints what the model computes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.docs.compatibility import replace_part
from tests.docs.cost import BUSY, PAGE, PARTS, SCENARIOS, per_million


@pytest.mark.parametrize("part", PARTS)
def test_every_table_is_the_models(part: str) -> None:
    page = PAGE.read_text()

    assert f"<!-- generated: {part} -->" in page
    assert replace_part(page, part, PARTS[part]()) == page


def test_what_is_left_without_intake_and_history_is_near_the_best_design() -> None:
    """The sentence of the page that compares: the two things the best design does without."""
    added = per_million(BUSY)
    without = sum(added.values()) - added["SQS requests"] - history_share()

    assert f"it comes to ${without:.2f} for a million" in PAGE.read_text()


def test_what_short_windows_used_to_cost() -> None:
    former = replace(BUSY, intake_window_seconds=5, intake_batch=1000, intake_concurrency=10)

    cost = sum(per_million(former).values())

    assert f"cost ${cost:.2f} for a million" in PAGE.read_text()


def history_share() -> float:
    """What event history costs of a million events: what a data event, which is not in it, does without."""
    management = sum(per_million(BUSY).values())
    data = per_million(replace(BUSY, data_share=1.0))
    return management - (sum(data.values()) - data["AWS's own trail, for data and network activity events"])


def test_the_scenarios_are_those_of_the_best_design() -> None:
    assert [(w.events, w.places) for w in SCENARIOS.values()] == [(1e6, 3), (1e8, 50), (1e9, 200)]
