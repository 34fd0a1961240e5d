"""Schedule expressions against the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.errors import FormatError
from opentrail.local.cron import next_moment, parse_rate


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("cron(5 * * * ? *)", "2026-11-23T18:05:00", "2026-11-23T19:05:00"),
        ("cron(5 * * * ? *)", "2026-11-23T18:04:59", "2026-11-23T18:05:00"),
        ("cron(0 10 * * ? *)", "2026-12-31T10:00:00", "2027-01-01T10:00:00"),
        ("cron(0/15 * * * ? *)", "2026-11-23T18:16:00", "2026-11-23T18:30:00"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-27T18:00:00", "2026-11-30T18:00:00"),
        ("cron(0 0 ? * 1 *)", "2026-11-23T00:00:00", "2026-11-29T00:00:00"),
        ("cron(0 0 L * ? *)", "2028-02-01T00:00:00", "2028-02-29T00:00:00"),
        ("cron(0 0 15W * ? *)", "2026-08-01T00:00:00", "2026-08-14T00:00:00"),
        ("cron(0 0 1W * ? *)", "2026-07-31T12:00:00", "2026-08-03T00:00:00"),
        ("cron(0 0 ? * FRIL *)", "2026-11-01T00:00:00", "2026-11-27T00:00:00"),
        ("cron(0 0 ? * L *)", "2026-11-23T00:00:00", "2026-11-28T00:00:00"),
        ("cron(0 0 ? * TUE#2 *)", "2026-11-01T00:00:00", "2026-11-10T00:00:00"),
        ("cron(0 0 1,15 JAN,JUN ? *)", "2026-01-15T00:00:00", "2026-06-01T00:00:00"),
        ("cron(0 0 29 2 ? *)", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        ("cron(0 0 1 1 ? 2030-2031)", "2026-01-01T00:00:00", "2030-01-01T00:00:00"),
        ("at(2026-11-23T18:00:00)", "2026-11-23T17:59:59", "2026-11-23T18:00:00"),
    ],
)
def test_next_moment(expression: str, after: str, expected: str) -> None:
    assert next_moment(expression, at(after)) == at(expected)


@pytest.mark.parametrize(
    "expression", ["cron(0 0 1 1 ? 2020)", "at(2020-01-01T00:00:00)", "cron(0 0 30 2 ? *)"]
)
def test_nothing_left(expression: str) -> None:
    assert next_moment(expression, at("2026-11-23T18:00:00")) is None


def test_zone_shifts_with_summer_time() -> None:
    berlin = ZoneInfo("Europe/Berlin")

    assert next_moment("cron(0 9 * * ? *)", at("2026-07-01T00:00:00"), berlin) == at("2026-07-01T07:00:00")
    assert next_moment("cron(0 9 * * ? *)", at("2026-12-01T00:00:00"), berlin) == at("2026-12-01T08:00:00")


def test_hour_that_summer_time_skips_does_not_fire() -> None:
    berlin = ZoneInfo("Europe/Berlin")

    found = next_moment("cron(30 2 * * ? *)", at("2026-03-29T00:00:00"), berlin)

    assert found == at("2026-03-30T00:30:00")


@pytest.mark.parametrize(
    "expression",
    [
        "cron(* * * * * *)",
        "cron(* * ? * ? *)",
        "cron(* * * * ?)",
        "cron(60 * * * ? *)",
        "cron(5-1 * * * ? *)",
        "cron(* * * FOO ? *)",
        "cron(*/0 * * * ? *)",
        "at(tomorrow)",
        "every day",
    ],
)
def test_malformed_expression_is_refused(expression: str) -> None:
    with pytest.raises(FormatError):
        next_moment(expression, at("2026-11-23T18:00:00"))


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(2 hours)", 7200), ("rate(1 day)", 86400)],
)
def test_rate(expression: str, seconds: int) -> None:
    assert parse_rate(expression) == seconds


@pytest.mark.parametrize(
    "expression", ["rate(0 minutes)", "rate(1 minutes)", "rate(5 minute)", "rate(5 weeks)"]
)
def test_malformed_rate_is_refused(expression: str) -> None:
    with pytest.raises(FormatError, match="not a rate"):
        parse_rate(expression)


def test_cron_is_no_rate() -> None:
    assert parse_rate("cron(5 * * * ? *)") is None


@given(
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=3),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=3),
    start=st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
)
def test_next_moment_is_the_first_minute_that_fits(
    minutes: set[int], hours: set[int], start: datetime
) -> None:
    expression = f"cron({','.join(map(str, minutes))} {','.join(map(str, hours))} * * ? *)"

    minute = start.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while minute.minute not in minutes or minute.hour not in hours:
        minute += timedelta(minutes=1)

    assert next_moment(expression, start) == minute
