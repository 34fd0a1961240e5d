"""What a file counts up to: each record once, in the class CloudTrail has a price for."""

from __future__ import annotations

import pytest

from opentrail.model.log_file import HISTORY, Chunk, Destination
from opentrail.model.usage import Usage
from opentrail.pipeline.deliver.meter import meter_file
from tests.support.values import make_chunk, make_destination

FIRST, SECOND = make_destination("first"), make_destination("second")
PAST = Destination(name=HISTORY, bucket="past", prefix="history")
RATE, ERRORS = "Management:ApiCallRateInsight", "Management:ApiErrorRateInsight"
DATA_RATE, DATA_ERRORS = "Data:ApiCallRateInsight", "Data:ApiErrorRateInsight"


def watching(*insights: str) -> Destination:
    return make_destination("first", insights=insights)


def analysed(destination: Destination, chunk: Chunk) -> tuple[int, int]:
    usage = meter_file(destination, [chunk], 0)
    return usage.analysed, usage.analysed_data


def test_the_first_trail_has_the_first_copy_and_each_other_one_another() -> None:
    chunk = make_chunk("a", "b", destinations=(FIRST, SECOND, PAST))

    assert meter_file(FIRST, [chunk], 900) == Usage(
        events=2, first=2, arrived=2, chunks=1, claims=1, files=1, bytes=900
    )
    assert meter_file(SECOND, [chunk], 900) == Usage(events=2, copies=2, claims=1, files=1, bytes=900)


def test_history_is_nobodys_copy() -> None:
    chunk = make_chunk("a", destinations=(FIRST, PAST))

    assert meter_file(PAST, [chunk], 900) == Usage(events=1, claims=1, files=1, bytes=900)


def test_what_no_trail_wants_arrives_in_history() -> None:
    chunk = make_chunk("a", destinations=(PAST,))

    assert meter_file(PAST, [chunk], 900).arrived == 1


@pytest.mark.parametrize(
    ("category", "name"),
    [("Data", "data"), ("NetworkActivity", "network"), ("Insight", "insights")],
)
def test_every_trail_pays_for_what_is_no_management_event(category: str, name: str) -> None:
    chunk = make_chunk("a", "b", destinations=(FIRST, SECOND), category=category)

    for trail in (FIRST, SECOND):
        usage = meter_file(trail, [chunk], 0)
        assert (getattr(usage, name), usage.first, usage.copies) == (2, 0, 0)


def test_a_file_is_the_sum_of_its_chunks() -> None:
    management, data = make_chunk("a", "b"), make_chunk("c", category="Data")

    usage = meter_file(make_destination(), [management, data], 900)

    assert (usage.events, usage.first, usage.data, usage.chunks, usage.files) == (3, 2, 1, 2, 1)


@pytest.mark.parametrize(
    ("insights", "count"),
    [((), 0), ((RATE,), 1), ((ERRORS,), 3), ((RATE, ERRORS), 4), ((DATA_RATE,), 0)],
)
def test_insights_analyse_writes_for_call_rates_and_all_for_error_rates(
    insights: tuple[str, ...], count: int
) -> None:
    """CloudTrail user guide, "Costs for Insights events"."""
    destination = watching(*insights)
    write = make_chunk("a", destinations=(destination,))
    reads = make_chunk("b", "c", destinations=(destination,), read_only=True)

    usage = meter_file(destination, [write, reads], 0)

    assert (usage.analysed, usage.analysed_data) == (count, 0)


@pytest.mark.parametrize(
    ("insights", "count"), [((RATE,), 0), ((DATA_RATE,), 2), ((DATA_RATE, DATA_ERRORS), 4)]
)
def test_insights_analyse_a_data_event_once_for_each_type(insights: tuple[str, ...], count: int) -> None:
    destination = watching(*insights)

    chunk = make_chunk("a", "b", destinations=(destination,), category="Data", read_only=True)

    assert analysed(destination, chunk) == (0, count)
