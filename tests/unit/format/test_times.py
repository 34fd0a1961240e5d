"""Times as CloudTrail writes them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.errors import FormatError
from opentrail.format import times

SECONDS = st.datetimes(
    min_value=datetime(1970, 1, 1), max_value=datetime(9999, 1, 1), timezones=st.just(UTC)
).map(lambda moment: moment.replace(microsecond=0))


@given(moment=SECONDS)
def test_both_forms_read_back_what_was_written(moment: datetime) -> None:
    assert times.from_iso(times.to_iso(moment)) == moment
    assert times.from_basic(times.to_basic(moment)) == moment


def test_a_time_is_written_in_utc_with_whole_seconds_cut_not_rounded() -> None:
    moment = datetime(2026, 1, 10, 1, 20, 31, 999_999, timezone(timedelta(hours=-3)))

    assert times.to_iso(moment) == "2026-01-10T04:20:31Z"
    assert times.to_basic(moment) == "20260110T042031Z"


@pytest.mark.parametrize("text", ["", "2026-01-10", "2026-01-10T04:20:31", "2026-13-01T00:00:00Z", "x" * 99])
@pytest.mark.parametrize("read", [times.from_iso, times.from_basic])
def test_any_other_shape_is_a_format_error(read: Callable[[str], datetime], text: str) -> None:
    with pytest.raises(FormatError):
        read(text)


@given(text=st.text())
def test_reading_any_text_gives_a_time_or_a_format_error(text: str) -> None:
    for read in (times.from_iso, times.from_basic):
        with suppress(FormatError):
            assert read(text).tzinfo is UTC


def test_epoch_seconds_keep_their_milliseconds() -> None:
    assert times.from_epoch(1768018831.25) == datetime(2026, 1, 10, 4, 20, 31, 250_000, UTC)
