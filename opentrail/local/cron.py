"""Schedule expressions: ``rate(...)``, ``cron(...)``, ``at(...)`` -> the next moment. No clock here.

Source: EventBridge user guide, "Setting a schedule pattern for scheduled rules", and
EventBridge Scheduler user guide, "Schedule types".
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from opentrail.errors import FormatError

_MONTHS = {name: number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = dict(zip(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), range(1, 8), strict=True))
_NAMES = {name.upper(): number for name, number in _MONTHS.items()} | _DAYS
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_LAST_YEAR = 2199


def parse_rate(expression: str) -> int | None:
    """Return the seconds of ``rate(5 minutes)``, or None when it is no rate.

    Raises:
        FormatError: a rate with a bad value, or singular and plural confused.
    """
    match = re.fullmatch(r"rate\((.*)\)", expression.strip())
    if match is None:
        return None
    parts = re.fullmatch(r"(\d+) (minute|hour|day)(s?)", match.group(1))
    if parts is None or int(parts[1]) < 1 or (parts[1] == "1") == bool(parts[3]):
        raise FormatError(f"not a rate: {expression!r}")
    return int(parts[1]) * _UNITS[parts[2]]


def next_moment(expression: str, after: datetime, zone: tzinfo = UTC) -> datetime | None:
    """Return the first moment strictly after ``after`` (UTC) that a cron or at expression names.

    ``None`` when there is none any more.

    Raises:
        FormatError: neither ``cron(...)`` nor ``at(...)``, or malformed.
    """
    match = re.fullmatch(r"(cron|at)\((.*)\)", expression.strip())
    if match is None:
        raise FormatError(f"not a schedule expression: {expression!r}")
    if match[1] == "at":
        moment = _parse_at(match[2], zone)
        return moment if moment > after else None
    return parse_cron(match[2]).next_after(after, zone)


def _parse_at(text: str, zone: tzinfo) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone).astimezone(UTC)
    except ValueError as error:
        raise FormatError(f"not a time: at({text})") from error


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed cron expression: minutes and hours as sets, days as a question to ask."""

    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    is_day: Callable[[date], bool]

    def next_after(self, after: datetime, zone: tzinfo) -> datetime | None:
        """Return the first match strictly after ``after``, in UTC.

        Local times that a change to summer time skips do not fire.
        """
        local = after.astimezone(zone)
        day = local.date()
        while day.year <= _LAST_YEAR:
            if day.year not in self.years:
                day = date(day.year + 1, 1, 1)
            elif day.month not in self.months:
                day = _first_of_next_month(day)
            else:
                found = self._first_of_day(day, after, zone) if self.is_day(day) else None
                if found:
                    return found
                day += timedelta(days=1)
        return None

    def _first_of_day(self, day: date, after: datetime, zone: tzinfo) -> datetime | None:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                moment = local.astimezone(UTC)
                if moment > after and moment.astimezone(zone).hour == hour:
                    return moment
        return None


def _first_of_next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


@lru_cache(maxsize=256)
def parse_cron(text: str) -> Cron:
    """Parse six fields: minutes, hours, day of month, month, day of week, year.

    Raises:
        FormatError: another number of fields, a value out of range, or not exactly one ``?``.
    """
    fields = text.split()
    if len(fields) != 6:
        raise FormatError(f"cron({text}): six fields, please")
    minutes, hours, day_of_month, months, day_of_week, years = fields
    if (day_of_month == "?") == (day_of_week == "?"):
        raise FormatError(f"cron({text}): exactly one of day of month and day of week must be ?")
    return Cron(
        minutes=_values(minutes, 0, 59),
        hours=_values(hours, 0, 23),
        months=_values(months, 1, 12),
        years=_values(years, 1970, _LAST_YEAR),
        is_day=_month_day(day_of_month) if day_of_week == "?" else _week_day(day_of_week),
    )


def _values(field: str, low: int, high: int) -> frozenset[int]:
    values: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        start, end = _span(span, low, high, open_ended=bool(step))
        values.update(range(start, end + 1, _number(step, 1, high) if step else 1))
    return frozenset(values)


def _span(span: str, low: int, high: int, *, open_ended: bool) -> tuple[int, int]:
    if span == "*":
        return low, high
    first, dash, last = span.partition("-")
    start = _number(first, low, high)
    if not dash:
        return start, high if open_ended else start
    end = _number(last, low, high)
    if end < start:
        raise FormatError(f"cron: {span} runs backwards")
    return start, end


def _number(text: str, low: int, high: int) -> int:
    value = _NAMES.get(text.upper(), -1) if text.isalpha() else int(text) if text.isdigit() else -1
    if not low <= value <= high:
        raise FormatError(f"cron: {text!r} is not between {low} and {high}")
    return value


def _month_day(field: str) -> Callable[[date], bool]:
    if field == "L":
        return lambda day: day.day == _month_length(day)
    nearest = re.fullmatch(r"(\d+)W", field)
    if nearest:
        wanted = _number(nearest[1], 1, 31)
        return lambda day: wanted <= _month_length(day) and day == _nearest_weekday(day.replace(day=wanted))
    values = _values(field, 1, 31)
    return lambda day: day.day in values


def _nearest_weekday(day: date) -> date:
    # Saturday goes back to Friday and Sunday on to Monday, but never into another month.
    if day.weekday() == 5:
        return day - timedelta(days=1) if day.day > 1 else day + timedelta(days=2)
    if day.weekday() == 6:
        return day + timedelta(days=1) if day.day < _month_length(day) else day - timedelta(days=2)
    return day


def _month_length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _week_day(field: str) -> Callable[[date], bool]:
    if field == "L":
        return lambda day: _cron_weekday(day) == 7
    last = re.fullmatch(r"(\w+?)L", field)
    if last:
        wanted = _number(last[1], 1, 7)
        return lambda day: _cron_weekday(day) == wanted and day.day + 7 > _month_length(day)
    nth = re.fullmatch(r"(\w+)#(\d)", field)
    if nth:
        wanted, position = _number(nth[1], 1, 7), _number(nth[2], 1, 5)
        return lambda day: _cron_weekday(day) == wanted and (day.day - 1) // 7 + 1 == position
    values = _values(field, 1, 7)
    return lambda day: _cron_weekday(day) in values


def _cron_weekday(day: date) -> int:
    # Sunday is 1.
    return (day.weekday() + 1) % 7 + 1
