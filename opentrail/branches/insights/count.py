"""Counts files and log files -> counts by series and minute."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from opentrail.branches.insights.series import ERROR_RATE, Series, to_minute
from opentrail.errors import FormatError
from opentrail.model.event import Place

Counted = dict[Series, dict[int, int]]


class _Line(msgspec.Struct, rename="camel", gc=False):
    minute: str
    account_id: str
    aws_region: str
    event_source: str
    event_name: str
    insight_type: str
    count: int
    error_code: str | None = None


class _Record(msgspec.Struct, gc=False):
    time: str = msgspec.field(name="eventTime", default="")
    source: str = msgspec.field(name="eventSource", default="")
    name: str = msgspec.field(name="eventName", default="")
    region: str = msgspec.field(name="awsRegion", default="")
    account: str = msgspec.field(name="recipientAccountId", default="")
    error_code: str = msgspec.field(name="errorCode", default="")
    category: str = msgspec.field(name="eventCategory", default="Management")
    read_only: bool = msgspec.field(name="readOnly", default=False)


_line = msgspec.json.Decoder(_Line)
_record = msgspec.json.Decoder(_Record, strict=False)


def read_counts(lines: Iterable[bytes]) -> Counted:
    """Read a counts file: NDJSON, one line per series and minute that is not zero; repeated lines add up.

    Raises:
        FormatError: a line is not of that form; the message names it.
    """
    counted: Counted = {}
    minutes: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = _line.decode(line)
            minute = minutes.get(row.minute)
            if minute is None:
                minute = minutes[row.minute] = to_minute(row.minute)
        except (msgspec.DecodeError, FormatError) as error:
            raise FormatError(f"line {number}: {error}") from error
        if row.count < 0:
            raise FormatError(f"line {number}: a count is never negative")
        _add(counted, _series_of(row), minute, row.count)
    return counted


def _series_of(row: _Line) -> Series:
    code = (row.error_code or "") if row.insight_type == ERROR_RATE else ""
    return Series(Place(row.account_id, row.aws_region), row.event_source, row.event_name, code)


def count_records(counted: Counted, records: Iterable[bytes], place: Place) -> int:
    """Add a log file's management writes and failed management calls; answer how many records were read.

    Args:
        counted: is added to.
        records: JSON objects.
        place: of the file, for records that do not name theirs.

    Source: CloudTrail user guide, "Logging Insights events": call rates are of write-only
    management calls, error rates of all management calls.
    """
    read = 0
    for raw in records:
        try:
            record = _record.decode(raw)
            minute = to_minute(record.time)
        except (msgspec.DecodeError, FormatError):
            continue  # no call at a known time: nothing to count
        read += 1
        if record.category != "Management":
            continue
        where = Place(record.account or place.account, record.region or place.region)
        if not record.read_only:
            _add(counted, Series(where, record.source, record.name), minute, 1)
        if record.error_code:
            _add(counted, Series(where, record.source, record.name, record.error_code), minute, 1)
    return read


def _add(counted: Counted, series: Series, minute: int, count: int) -> None:
    of_series = counted.setdefault(series, {})
    of_series[minute] = of_series.get(minute, 0) + count
