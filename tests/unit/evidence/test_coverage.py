"""Which hours are sealed, by the names of the files alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from opentrail.branches.evidence import Hours, cover
from opentrail.format.keys import LOGS, digest_key, log_key
from opentrail.model.event import Place

PLACE = Place("111122223333", "us-east-1")
START = datetime(2026, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def digest(end: datetime, *, trail: str = "main", backfill: bool = False) -> str:
    return digest_key(
        prefix="",
        organization="",
        place=PLACE,
        trail=trail,
        home_region="us-east-1",
        end=end,
        backfill=backfill,
    )


def log(delivered: datetime) -> str:
    token = "a" * 16
    return log_key(prefix="", organization="", place=PLACE, folder=LOGS, delivered=delivered, token=token)


def digests(first: int, last: int, offset: timedelta = timedelta()) -> list[str]:
    """Of the hours that begin ``first`` to ``last`` hours after the start."""
    return [digest(START + (n + 1) * HOUR + offset) for n in range(first, last + 1)]


def hours(first: int, count: int) -> Hours:
    return Hours(START + first * HOUR, START + (first + count) * HOUR)


@pytest.mark.parametrize("offset", [timedelta(), timedelta(minutes=1, seconds=31), timedelta(minutes=29)])
def test_a_digest_for_every_hour_leaves_none_open(offset: timedelta) -> None:
    days = cover([], digests(0, 47, offset), trail="main", start=START, end=START + timedelta(days=2))

    assert [day.unsealed for day in days] == [(), ()]


def test_missing_hours_are_named_as_stretches() -> None:
    (day,) = cover(
        [],
        digests(0, 3) + digests(6, 9) + digests(11, 23),
        trail="main",
        start=START,
        end=START + timedelta(days=1),
    )

    assert day.unsealed == (hours(4, 2), hours(10, 1))
    assert [stretch.count for stretch in day.unsealed] == [2, 1]


def test_hours_outside_the_period_are_nobodys_business() -> None:
    (day,) = cover([], [], trail="main", start=START + 5 * HOUR, end=START + 7 * HOUR + HOUR / 2)

    assert day.unsealed == (hours(5, 2),)


def test_files_are_counted_by_their_day() -> None:
    logs = [log(START + HOUR), log(START + 23 * HOUR), log(START + 25 * HOUR)]
    late = digest(START + 3 * HOUR, backfill=True)

    first, second = cover(
        logs, [*digests(0, 2), late], trail="main", start=START, end=START + timedelta(days=2)
    )

    assert (first.date, first.log_files, first.digests, first.backfill_digests) == (
        date(2026, 1, 10),
        2,
        3,
        1,
    )
    assert (second.log_files, second.digests, second.backfill_digests) == (1, 0, 0)


def test_other_trails_backfills_and_strangers_seal_nothing() -> None:
    other, late = digest(START + HOUR, trail="other"), digest(START + HOUR, backfill=True)

    (day,) = cover(["odd"], [other, late, "AWSLogs/readme.txt"], trail="main", start=START, end=START + HOUR)

    assert (day.log_files, day.unsealed) == (0, (hours(0, 1),))
