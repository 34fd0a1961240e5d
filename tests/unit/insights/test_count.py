"""Counts files and log files are read as they are defined, or refused with the line's number."""

from __future__ import annotations

import json

import pytest

from opentrail.branches.insights.count import Counted, count_records, read_counts
from opentrail.branches.insights.series import Series, to_minute
from opentrail.errors import FormatError
from opentrail.model.event import Place
from tests.support.records import ACCOUNT, REGION, make_record, to_bytes

PLACE = Place("111122223333", "us-east-1")
MINUTE = to_minute("2026-01-10T01:42")


def line(**changes: object) -> bytes:
    row = {
        "minute": "2026-01-10T01:42:00Z",
        "accountId": "111122223333",
        "awsRegion": "us-east-1",
        "eventSource": "ec2.amazonaws.com",
        "eventName": "RunInstances",
        "insightType": "ApiCallRateInsight",
        "errorCode": None,
        "count": 3,
    }
    return json.dumps(row | changes).encode()


def test_a_counts_file_is_read_as_the_issue_defines_it() -> None:
    error = {"insightType": "ApiErrorRateInsight", "errorCode": "AccessDenied"}

    counted = read_counts([line(), line(count=2), b"\n", line(**error)])

    assert counted == {
        Series(PLACE, "ec2.amazonaws.com", "RunInstances"): {MINUTE: 5},
        Series(PLACE, "ec2.amazonaws.com", "RunInstances", "AccessDenied"): {MINUTE: 3},
    }


@pytest.mark.parametrize(
    "bad",
    [b"{", b"[]", line(count="many"), line(count=-1), line(minute="yesterday"), line(minute="2026-01-10")],
)
def test_a_bad_line_is_named(bad: bytes) -> None:
    with pytest.raises(FormatError, match="line 2"):
        read_counts([line(), bad])


def test_log_files_count_management_writes_and_failed_calls() -> None:
    counted: Counted = {}
    records = [
        make_record(),
        make_record(readOnly=True),
        make_record(readOnly=True, errorCode="AccessDenied"),
        make_record(eventCategory="Data", readOnly=False),
        make_record(eventTime="never"),
    ]

    read = count_records(counted, [to_bytes(record) for record in records], PLACE)

    place, minute = Place(ACCOUNT, REGION), to_minute("2026-01-10T04:20")
    assert read == 4
    assert counted == {
        Series(place, "iam.amazonaws.com", "CreateUser"): {minute: 1},
        Series(place, "iam.amazonaws.com", "CreateUser", "AccessDenied"): {minute: 1},
    }
