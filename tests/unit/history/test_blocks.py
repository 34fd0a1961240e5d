"""Blocks: which segments make one, and what lies in its drawers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.branches.history import bind_segments
from opentrail.branches.history import blocks as blocks_module
from opentrail.branches.history.blocks import (
    DRAWERS,
    MAX_BOUND,
    MIN_EVENTS,
    Loose,
    drawer_of,
    fill_drawers,
    segments_with,
)
from opentrail.branches.history.rollup import DAY_SECONDS
from opentrail.errors import ConflictError
from opentrail.model.event import Place
from tests.support.history import PLACE

DAY = 1767916800.0  # 2026-01-09T00:00:00Z
NOON = DAY_SECONDS // 2


def pack(*numbers: int) -> bytes:
    """Hashes as a segment has them."""
    return b"".join(number.to_bytes(4, "big") for number in sorted(numbers))


class Desk:
    """Loose segments and blocks in memory."""

    def __init__(self) -> None:
        self.segments: list[Loose] = []
        self.blocks: list[list[str]] = []

    def add(
        self, day: int, count: int, *, at: float = NOON, hashes: bytes = b"\0\0\0\1", counts: bytes = b""
    ) -> None:
        """A segment of that day, named after how many there were before it."""
        self.segments.append(
            Loose(
                id=f"s{len(self.segments)}",
                bucket="past",
                key="history/AWSLogs/k",
                count=count,
                oldest="",
                newest="",
                created_at=DAY + day * DAY_SECONDS + at,
                expires=0,
                hashes=hashes,
                counts=counts,
                callers=b"",
            )
        )

    def loose(self, place: Place, *, start: float, end: float) -> Iterator[Loose]:
        assert place == PLACE
        return iter([segment for segment in self.segments if start <= segment.created_at < end])

    def bind(self, place: Place, segments: Sequence[Loose], drawers: Mapping[int, bytes]) -> None:
        assert place == PLACE
        assert len(drawers) + 1 + 2 * len(segments) <= 100
        if not all(segment in self.segments for segment in segments):
            raise ConflictError("gone")
        self.segments = [segment for segment in self.segments if segment not in segments]
        self.blocks.append([segment.id for segment in segments])

    def make_blocks(self, days: int = 100, min_events: int = 100) -> int:
        return bind_segments(
            PLACE, start=DAY, end=DAY + days * DAY_SECONDS, cabinet=self, min_events=min_events
        )


@pytest.fixture
def desk() -> Desk:
    return Desk()


# Which segments make a block


def test_a_day_with_enough_events_makes_a_block(desk: Desk) -> None:
    desk.add(0, 60, at=NOON)
    desk.add(0, 40, at=NOON + 1)

    assert desk.make_blocks() == 2

    assert desk.blocks == [["s0", "s1"]]
    assert desk.segments == []


def test_quiet_days_make_a_block_together_and_what_is_left_stays_loose(desk: Desk) -> None:
    for day in range(5):
        desk.add(day, 50)

    desk.make_blocks()

    assert desk.blocks == [["s0", "s1"], ["s2", "s3"]]
    assert [segment.id for segment in desk.segments] == ["s4"]


def test_what_stayed_loose_goes_with_a_later_day(desk: Desk) -> None:
    desk.add(0, 50)
    desk.make_blocks()
    desk.add(1, 50)

    desk.make_blocks()

    assert desk.blocks == [["s0", "s1"]]


def test_a_block_spans_no_more_than_a_week(desk: Desk) -> None:
    desk.add(0, 50)
    desk.add(7, 50, at=NOON + 1)
    desk.add(8, 50)

    desk.make_blocks()

    assert desk.blocks == [["s1", "s2"]]


def test_a_place_too_quiet_for_blocks_has_none(desk: Desk) -> None:
    for day in range(90):
        desk.add(day, 12)

    assert desk.make_blocks() == 0

    assert desk.blocks == []


def test_a_busy_day_makes_several_blocks(desk: Desk) -> None:
    for number in range(2 * MAX_BOUND + 1):
        desk.add(0, 1000, at=number)

    desk.make_blocks()

    assert [len(block) for block in desk.blocks] == [MAX_BOUND, MAX_BOUND, 1]


def test_a_block_is_no_larger_than_a_transaction(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks_module, "MAX_BYTES", 1000)
    for number in range(3):
        desk.add(0, 100, at=number, hashes=bytes(300), counts=bytes(100))

    desk.make_blocks()

    assert desk.blocks == [["s0", "s1"], ["s2"]]


def test_segments_whose_values_nobody_knows_stay_loose(desk: Desk) -> None:
    desk.add(0, 30_000, hashes=b"")

    assert desk.make_blocks() == 0


def test_days_that_are_not_over_stay_loose(desk: Desk) -> None:
    desk.add(0, 100)
    desk.add(1, 100)

    desk.make_blocks(days=1)

    assert desk.blocks == [["s0"]]


def test_again_changes_nothing(desk: Desk) -> None:
    for day in range(5):
        desk.add(day, 70)
    desk.make_blocks()

    assert desk.make_blocks() == 0


def test_another_run_that_was_faster_leaves_nothing_to_do() -> None:
    class Contested(Desk):
        def loose(self, place: Place, *, start: float, end: float) -> Iterator[Loose]:
            found = list(super().loose(place, start=start, end=end))
            del self.segments[0]
            return iter(found)

    contested = Contested()
    contested.add(0, 100)
    contested.add(1, 100)

    assert contested.make_blocks() == 1

    assert contested.blocks == [["s1"]]


@given(
    segments=st.lists(st.tuples(st.integers(0, 20), st.integers(0, DAY_SECONDS - 1), st.integers(1, 80))),
    runs=st.lists(st.integers(1, 21), max_size=3),
)
def test_every_segment_is_loose_or_in_one_block(
    segments: list[tuple[int, int, int]], runs: list[int]
) -> None:
    desk = Desk()
    for day, at, count in sorted(segments):
        desk.add(day, count, at=at)
    made = {segment.id: segment for segment in desk.segments}

    for days in runs:
        desk.make_blocks(days)

    bound = [name for block in desk.blocks for name in block]
    assert sorted([*bound, *(segment.id for segment in desk.segments)]) == sorted(made)
    for block in desk.blocks:
        times = [made[name].created_at for name in block]
        assert times == sorted(times)
        assert times[-1] - times[0] <= 7 * DAY_SECONDS
        assert sum(made[name].count for name in block) >= 100


def test_an_item_holds_at_least_sixteen_events() -> None:
    assert MIN_EVENTS // DRAWERS == 16


# What is in the drawers


def test_a_row_is_a_hash_and_the_number_of_a_segment() -> None:
    drawers = fill_drawers([pack(0x00000001, 0xFFFFFFFF), pack(0x00000001, 0x03FFFFFF, 0x04000000)])

    assert drawers == {
        0: bytes.fromhex("0000000100 0000000101 03ffffff01"),
        1: bytes.fromhex("0400000001"),
        63: bytes.fromhex("ffffffff00"),
    }


@pytest.mark.parametrize(
    ("number", "drawer"), [(0, 0), (0x03FFFFFF, 0), (0x04000000, 1), (0x80000000, 32), (0xFFFFFFFF, 63)]
)
def test_a_drawer_is_a_sixty_fourth_of_all_hashes(number: int, drawer: int) -> None:
    assert drawer_of(number) == drawer


near = st.sampled_from([0, 1, 255, 256, 0x03FFFFFF, 0x04000000, 0x04000001, 0xFFFFFF00, 0xFFFFFFFF])


@given(
    segments=st.lists(st.sets(near | st.integers(0, 0xFFFFFFFF), max_size=12), max_size=MAX_BOUND),
    asked=st.lists(near, max_size=5),
)
def test_a_drawer_names_exactly_the_segments_that_have_a_hash(
    segments: list[set[int]], asked: list[int]
) -> None:
    drawers = fill_drawers([pack(*numbers) for numbers in segments])

    for number in {*asked, *(n for numbers in segments for n in numbers)}:
        found = segments_with(drawers.get(drawer_of(number), b""), number)
        assert found == [n for n, numbers in enumerate(segments) if number in numbers]
