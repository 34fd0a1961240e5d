"""The roll-up: fewer segments, the same events, the same counts."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from zlib import decompress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opentrail.branches.history import RolledUp, holds_value, roll_up
from opentrail.branches.history.rollup import DAY_SECONDS, MAX_MERGED, Shelved
from opentrail.branches.history.segment import build_segment
from opentrail.errors import ConflictError, StorageError
from opentrail.format.keys import INSIGHTS, LOGS, log_key, parse_log_key
from opentrail.format.log_file import build_log_file, parse_records
from opentrail.format.times import from_epoch, to_iso
from opentrail.model.event import Place
from opentrail.model.history import Segment
from opentrail.model.log_file import LogFile
from tests.support.history import PLACE
from tests.support.records import make_record, to_bytes

DAY = 1767916800.0  # 2026-01-09T00:00:00Z


class World:
    """Index and files in memory."""

    def __init__(self) -> None:
        self.index: dict[str, tuple[Shelved, Segment]] = {}
        self.files: dict[str, bytes] = {}
        self._tokens = itertools.count()

    def token(self) -> str:
        return f"{next(self._tokens):016d}"

    def add(self, at: float, *names: str, insights: bool = False, **changes: Any) -> Shelved:
        """A segment created ``at`` seconds into the day; its events are a second older."""
        time = to_iso(from_epoch(DAY + at - 1))
        lines = [to_bytes(make_record(eventID=name, eventTime=time, **changes)) for name in names]
        piece = b"\n".join(lines)
        sha256, body = build_log_file([piece])
        key = log_key(
            prefix="history",
            organization="",
            place=PLACE,
            folder=INSIGHTS if insights else LOGS,
            delivered=from_epoch(DAY + at),
            token=self.token(),
        )
        file = LogFile(
            bucket="past",
            key=key,
            sha256=sha256,
            count=len(lines),
            oldest=time,
            newest=time,
            created_at=DAY + at,
        )
        self.files[key] = body
        segment = build_segment(PLACE, file, [piece])
        return self._enter(segment, DAY + at, expires=int(DAY + at) + 90 * DAY_SECONDS)

    def _enter(self, segment: Segment, created_at: float, expires: int) -> Shelved:
        shelved = Shelved(
            id=f"{int(created_at * 1000):013d}#{segment.key[-24:-8]}",
            bucket=segment.bucket,
            key=segment.key,
            count=segment.count,
            oldest=segment.oldest,
            newest=segment.newest,
            created_at=created_at,
            expires=expires,
        )
        self.index[shelved.id] = (shelved, segment)
        return shelved

    def shelved(self, place: Place, *, start: float, end: float) -> Iterator[Shelved]:
        assert place == PLACE
        entries = [shelved for _, (shelved, _) in sorted(self.index.items())]
        return iter([entry for entry in entries if start <= entry.created_at < end])

    def swap(
        self, place: Place, old: Sequence[Shelved], new: Segment | None, *, created_at: float, expires: int
    ) -> None:
        assert len(old) <= MAX_MERGED
        if not {entry.id for entry in old} <= self.index.keys():
            raise ConflictError("gone")
        for entry in old:
            del self.index[entry.id]
        if new is not None:
            assert new.key in self.files
            self._enter(new, created_at, expires)

    def read_all(self, entries: Sequence[Shelved]) -> list[bytes | None]:
        return [self.files.get(entry.key) for entry in entries]

    def put(self, bucket: str, key: str, body: bytes) -> None:
        assert key not in self.files
        self.files[key] = body

    def roll(self, *, days: int = 1, max_events: int = 100, period_seconds: int = DAY_SECONDS) -> RolledUp:
        return roll_up(
            PLACE,
            start=DAY,
            end=DAY + days * DAY_SECONDS,
            shelf=self,
            files=self,
            new_token=self.token,
            max_events=max_events,
            period_seconds=period_seconds,
        )

    def segments(self) -> list[list[str]]:
        """The eventIDs of each segment, in the order of creation."""
        entries = [shelved for _, (shelved, _) in sorted(self.index.items())]
        return [[record["eventID"] for record in parse_records(self.files[e.key])] for e in entries]

    def counts(self) -> Counter[tuple[str, str]]:
        total: Counter[tuple[str, str]] = Counter()
        for _, segment in self.index.values():
            series = msgspec.json.decode(decompress(segment.counts), type=dict[str, dict[str, int]])
            for name, minutes in series.items():
                total.update({(name, minute): count for minute, count in minutes.items()})
        return total


@pytest.fixture
def world() -> World:
    return World()


def test_small_segments_become_one(world: World) -> None:
    for number in range(5):
        world.add(600 * number + 300, f"e{number}")

    assert world.roll() == RolledUp(before=5, after=1)

    assert world.segments() == [["e0", "e1", "e2", "e3", "e4"]]


def test_the_new_segment_is_indexed_and_dated_as_the_old_ones_were(world: World) -> None:
    first = world.add(300, "a", eventName="DeleteUser")
    last = world.add(900, "b")

    world.roll()

    ((shelved, segment),) = world.index.values()
    assert (shelved.created_at, shelved.expires) == (last.created_at, last.expires)
    assert (shelved.oldest, shelved.newest, shelved.count) == (first.oldest, last.newest, 2)
    assert parse_log_key(shelved.key).time == "20260109T0015Z"
    assert [holds_value(segment.hashes, "EventName", n) for n in ("DeleteUser", "CreateUser", "X")] == [
        True,
        True,
        False,
    ]


def test_again_changes_nothing(world: World) -> None:
    for number in range(5):
        world.add(600 * number + 300, f"e{number}")
    world.roll()

    assert world.roll() == RolledUp()


def test_full_segments_stay(world: World) -> None:
    world.add(300, *(f"a{n}" for n in range(60)))
    world.add(600, *(f"b{n}" for n in range(60)))

    assert world.roll() == RolledUp()


def test_days_and_insights_stay_apart(world: World) -> None:
    world.add(300, "a")
    world.add(400, "i", insights=True)
    world.add(600, "b")
    world.add(700, "j", insights=True)
    world.add(DAY_SECONDS + 300, "c")

    world.roll(days=2)

    assert world.segments() == [["a", "b"], ["i", "j"], ["c"]]


def test_hours_become_segments_and_then_a_day(world: World) -> None:
    for number in range(4):
        world.add(1800 * number + 900, f"e{number}")

    assert world.roll(period_seconds=3600) == RolledUp(before=4, after=2)
    assert world.segments() == [["e0", "e1"], ["e2", "e3"]]
    assert world.roll() == RolledUp(before=2, after=1)


def test_more_segments_than_one_transaction_takes(world: World) -> None:
    for number in range(250):
        world.add(60 * number + 60, f"e{number:03d}")

    assert world.roll(max_events=1000).after < 5

    assert world.segments() == [[f"e{number:03d}" for number in range(250)]]


def test_an_event_recorded_twice_is_kept_and_counted_once(world: World) -> None:
    world.add(300, "a")
    world.add(300, "a", "b")

    world.roll()

    assert world.segments() == [["a", "b"]]
    assert sum(world.counts().values()) == 2


def test_counts_add_up(world: World) -> None:
    for number in range(6):
        world.add(30 * number + 30, f"e{number}", errorCode="AccessDenied")
    before = world.counts()

    world.roll()

    assert world.counts() == before


def test_entries_of_files_never_stored_go(world: World) -> None:
    for number in range(2):
        del world.files[world.add(300 * number + 300, f"e{number}").key]

    assert world.roll() == RolledUp(before=2, after=0)

    assert world.index == {}


def test_another_run_that_was_faster_leaves_nothing_to_do(world: World) -> None:
    class Contested(World):
        def read_all(self, entries: Sequence[Shelved]) -> list[bytes | None]:
            bodies = super().read_all(entries)
            self.index.pop(entries[0].id, None)  # the other run swaps while this one reads
            return bodies

    contested = Contested()
    contested.add(300, "a")
    contested.add(600, "b")

    assert contested.roll() == RolledUp()
    assert contested.segments() == [["b"]]


def test_a_damaged_file_stops_it_and_nothing_is_lost(world: World) -> None:
    damaged = world.add(300, "a")
    world.add(600, "b")
    world.files[damaged.key] = b"\x1f\x8b"

    with pytest.raises(StorageError, match=damaged.key):
        world.roll()
    assert len(world.index) == 2


@given(
    sizes=st.lists(st.tuples(st.integers(1, 2 * DAY_SECONDS - 1), st.integers(1, 8)), max_size=20),
    limit=st.integers(2, 20),
)
@settings(max_examples=30, deadline=None)
def test_nothing_is_lost_whatever_the_sizes(sizes: list[tuple[int, int]], limit: int) -> None:
    world, numbers = World(), itertools.count()
    for at, size in sizes:
        world.add(at, *(f"e{next(numbers)}" for _ in range(size)))
    before = world.counts()

    world.roll(days=2, max_events=limit)

    kept = sorted(name for segment in world.segments() for name in segment)
    assert kept == sorted(f"e{n}" for n in range(next(numbers)))
    assert world.counts() == before
