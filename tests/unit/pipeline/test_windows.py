"""When the windows of a chain end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from opentrail.format.times import from_epoch, to_iso
from opentrail.model.digest import Chain
from opentrail.pipeline.digest.windows import due_windows, next_end, window_start
from tests.support.values import BUCKET, HOME, START, make_trail

T0 = START.timestamp()  # 04:20


def chain(started_at: float = T0, end: str = "") -> Chain:
    return Chain(trail_arn=make_trail().arn, place=HOME, bucket=BUCKET, started_at=started_at, end=end)


def due(found: Chain, now: datetime, *, close_now: bool = False, period: int = 3600) -> list[tuple[str, str]]:
    windows = due_windows(found, now=now, period_seconds=period, close_now=close_now)
    return [(to_iso(start)[11:19], to_iso(end)[11:19]) for start, end in windows]


def test_the_first_window_begins_with_the_trail_and_ends_with_the_period() -> None:
    assert due(chain(), START.replace(hour=5, minute=0)) == [("04:20:00", "05:00:00")]


def test_no_window_is_over_before_its_last_second_is() -> None:
    assert due(chain(), START.replace(minute=59, second=59, microsecond=999_999)) == []


def test_every_quiet_hour_since_is_caught_up_oldest_first() -> None:
    found = due(chain(), START + timedelta(days=1))

    assert len(found) == 24
    assert found[0] == ("04:20:00", "05:00:00")
    assert found[-1] == ("03:00:00", "04:00:00")


def test_the_next_window_begins_where_the_last_one_ended() -> None:
    assert due(chain(end="2026-01-10T04:30:07Z"), START.replace(hour=5)) == [("04:30:07", "05:00:00")]


def test_closing_now_ends_the_running_window_early() -> None:
    now = START.replace(hour=5, minute=10, microsecond=700_000)

    assert due(chain(), now, close_now=True) == [("04:20:00", "05:00:00"), ("05:00:00", "05:10:00")]


def test_closing_now_twice_within_a_second_gives_windows_of_a_second_each() -> None:
    assert due(chain(end=to_iso(START)), START, close_now=True) == [("04:20:00", "04:20:01")]
    assert due(chain(end="2026-01-10T04:20:01Z"), START, close_now=True) == [("04:20:01", "04:20:02")]


def test_a_fraction_of_a_second_belongs_to_the_first_window() -> None:
    assert window_start(chain(T0 + 0.75)) == START


@given(
    started=st.floats(0, 2e9),
    spans=st.lists(st.integers(0, 20_000), max_size=6),
    period=st.integers(1, 86_400),
    early=st.booleans(),
)
def test_windows_touch_end_at_whole_periods_and_never_overlap(
    started: float, spans: list[int], period: int, early: bool
) -> None:
    now, found = from_epoch(started), chain(started)
    windows: list[tuple[datetime, datetime]] = []
    for number, span in enumerate(spans):
        now += timedelta(seconds=span)
        close_now = early and number % 2 == 0
        steps = due_windows(found, now=now, period_seconds=period, close_now=close_now)
        for start, end in islice(steps, 50):
            windows.append((start, end))
            found = chain(started, to_iso(end))

    assert all(start < end for start, end in windows)
    assert all(older[1] == newer[0] for older, newer in zip(windows, windows[1:], strict=False))
    assert windows == [] or windows[0][0] == from_epoch(started).replace(microsecond=0)
    assert early or all(end.timestamp() % period == 0 for _, end in windows)


@given(moment=st.integers(0, 4_000_000_000), period=st.integers(1, 86_400))
def test_the_next_boundary_lies_ahead_by_a_period_at_most(moment: int, period: int) -> None:
    start = datetime.fromtimestamp(moment, UTC)

    ahead = (next_end(start, period) - start).total_seconds()

    assert 0 < ahead <= period
