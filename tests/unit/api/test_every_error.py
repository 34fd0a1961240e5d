"""Every modeled error of every built operation is met, or it is said why it cannot be."""

from __future__ import annotations

import pytest

from opentrail.api.app import ACTIONS
from opentrail.api.service import modeled_errors
from tests.unit.api.error_cases import CASES, NEVER, NEVER_HERE, make_world

PAIRS = {(operation, code) for operation in ACTIONS for code in modeled_errors(operation)}


def test_every_pair_has_a_case_or_a_reason() -> None:
    explained = {pair for pair in PAIRS if pair[1] in NEVER or pair in NEVER_HERE}

    assert PAIRS - CASES.keys() - explained == set()


def test_no_case_is_explained_away() -> None:
    assert {pair for pair in CASES if pair[1] in NEVER or pair in NEVER_HERE} == set()


def test_every_case_is_of_the_model() -> None:
    assert set(CASES) <= PAIRS


@pytest.mark.parametrize(("operation", "code"), sorted(CASES))
def test_the_error_is_met(operation: str, code: str) -> None:
    members, change = CASES[operation, code]
    world = make_world()
    change(world)

    found, message = world.refusal(operation, **members)

    assert (found, bool(message)) == (code, True)
