"""Days that are over: summed once, by what their rows say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from opentrail.branches.usage import roll_up_days, sum_files
from opentrail.model.event import Place
from opentrail.model.log_file import FileRow, FileState
from opentrail.model.usage import Reading, Usage
from tests.support.values import ABROAD, HOME, make_log_file, make_trail

TRAIL = make_trail().arn
NOON = datetime(2026, 1, 20, 12, tzinfo=UTC)
YESTERDAY = "2026-01-19"


def row(
    token: str,
    state: FileState = FileState.DELIVERED,
    *,
    day: str = YESTERDAY,
    place: Place = HOME,
    events: int = 1,
) -> FileRow:
    return FileRow(
        id=f"file#{day}|{day}T04:20:00.000Z#{token}#{TRAIL}#{place.account}#{place.region}",
        state=state,
        file=make_log_file(token, usage=Usage(events=events, files=1)),
    )


class FakeShelf:
    """Rows by day, and what was put."""

    def __init__(self, *rows: FileRow) -> None:
        self.rows = rows
        self.days: dict[str, Sequence[Reading]] = {}

    def summed_days(self, first: str, last: str) -> set[str]:
        return {day for day in self.days if first <= day <= last}

    def files_of(self, day: str) -> Iterable[FileRow]:
        return [row for row in self.rows if row.id.startswith(f"file#{day}|")]

    def put_day(self, day: str, readings: Sequence[Reading]) -> None:
        self.days[day] = readings


def reading(place: Place, **counts: int) -> Reading:
    return Reading(day=YESTERDAY, destination=TRAIL, place=place, usage=Usage(**counts))


def test_a_day_is_summed_by_trail_account_and_region() -> None:
    rows = [row("a", events=2), row("b", events=3), row("c", place=ABROAD)]

    assert sum_files(YESTERDAY, rows) == [
        reading(ABROAD, events=1, files=1),
        reading(HOME, events=5, files=2),
    ]


def test_only_delivered_files_count() -> None:
    rows = [row("a"), row("b", FileState.DROPPED), row("c", FileState.PENDING)]

    assert sum_files(YESTERDAY, rows) == [reading(HOME, events=1, files=1)]


def test_every_day_that_is_over_is_summed_once() -> None:
    shelf = FakeShelf(row("a"))

    first, second = roll_up_days(shelf, NOON), roll_up_days(shelf, NOON)

    assert (len(first), first[-1], second) == (12, YESTERDAY, [])
    assert shelf.days[YESTERDAY] == [reading(HOME, events=1, files=1)]


def test_a_day_is_not_over_at_midnight() -> None:
    shelf = FakeShelf(row("a"))

    done = roll_up_days(shelf, datetime(2026, 1, 20, 2, 59, tzinfo=UTC))

    assert YESTERDAY not in done


def test_a_day_with_a_file_whose_fate_is_open_waits() -> None:
    shelf = FakeShelf(row("a"), row("b", FileState.PENDING))

    done = roll_up_days(shelf, NOON)

    assert YESTERDAY not in done


def test_a_day_waits_no_longer_than_its_messages_are_tried() -> None:
    shelf = FakeShelf(row("a"), row("b", FileState.PENDING))

    roll_up_days(shelf, NOON + timedelta(days=8))

    assert shelf.days[YESTERDAY] == [reading(HOME, events=1, files=1)]
