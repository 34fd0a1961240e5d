"""Real CloudTrail records against the laptop's: the names, the parameters, the answers."""

from __future__ import annotations

import pytest

from tests.conformance.capture.measure import Measured, measure
from tests.conformance.capture.oracle import SAMPLES, real_records

FLOOR = 0.95  # of typed key paths, over all services, both ways

pytestmark = pytest.mark.skipif(
    not SAMPLES.exists(),
    reason="the sample events are not here (../shared/sample-events beside the checkout)",
)


@pytest.fixture(scope="module")
def measured() -> Measured:
    return measure(real_records())


def test_request_parameters_have_the_paths_of_real_records(measured: Measured) -> None:
    score = measured.total(measured.requests)

    assert score.records > 1500
    assert score.recall >= FLOOR
    assert score.precision >= FLOOR


def test_response_elements_have_the_paths_of_real_records(measured: Measured) -> None:
    score = measured.total(measured.responses)

    assert score.records > 250
    assert score.recall >= FLOOR
    assert score.precision >= FLOOR


def test_event_names_and_sources_are_those_of_real_records(measured: Measured) -> None:
    assert measured.wrong_names == []


def test_values_the_caller_chose_are_recorded_as_they_are(measured: Measured) -> None:
    assert measured.wrong_values == []
