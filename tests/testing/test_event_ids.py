"""Event ids carry their time, so that they sort as their calls arrived."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from opentrail.local.capture.ids import new_event_id, shared_copy_id

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)


@given(moment=MOMENTS, later=st.integers(1, 10**9))
def test_a_later_call_has_the_greater_id(moment: datetime, later: int) -> None:
    first, second = new_event_id(moment), new_event_id(moment + timedelta(microseconds=later))

    assert first < second
    assert shared_copy_id(first, "111122223333") < shared_copy_id(second, "111122223333")


@given(moment=MOMENTS)
def test_an_id_tells_its_milliseconds(moment: datetime) -> None:
    event_id = uuid.UUID(new_event_id(moment))

    assert (event_id.version, event_id.variant) == (7, uuid.RFC_4122)
    assert 0 <= moment.timestamp() * 1000 - (event_id.int >> 80) < 1.001


def test_ids_of_one_moment_differ() -> None:
    moment = datetime(2026, 1, 10, tzinfo=UTC)

    assert new_event_id(moment) != new_event_id(moment)


def test_copies_differ_by_account_only() -> None:
    event_id = new_event_id(datetime(2026, 1, 10, tzinfo=UTC))

    copy = shared_copy_id(event_id, "111122223333")

    assert copy == shared_copy_id(event_id, "111122223333")
    assert copy != shared_copy_id(event_id, "444455556666")
    assert uuid.UUID(copy).variant == uuid.RFC_4122
