"""``opentrail insights backtest``: records exactly as the user guide defines Insight events."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from benchmarks.insights.weeks import FIRST
from opentrail.branches.insights.series import from_minute

DAY = 1440
BEGIN = FIRST + 8 * DAY + 1256


def counts_file() -> bytes:
    """Eight days of one call in ten minutes, then ten minutes of fifty calls, twenty of them refused."""
    rows: list[tuple[int, str | None, int]] = [
        (minute, None, 1) for minute in range(FIRST, FIRST + 9 * DAY, 10)
    ]
    rows += [(minute, None, 50) for minute in range(BEGIN, BEGIN + 10)]
    rows += [(minute, "AccessDenied", 20) for minute in range(BEGIN, BEGIN + 10)]
    return b"\n".join(json.dumps(row(*values)).encode() for values in rows)


def row(minute: int, code: str | None, count: int) -> dict[str, Any]:
    return {
        "minute": from_minute(minute),
        "accountId": "111122223333",
        "awsRegion": "us-east-1",
        "eventSource": "ec2.amazonaws.com",
        "eventName": "RunInstances",
        "insightType": "ApiErrorRateInsight" if code else "ApiCallRateInsight",
        "errorCode": code,
        "count": count,
    }


def run(content: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", "from opentrail.cli import main; main()", "insights", "backtest"]
    return subprocess.run(
        [*command, "--counts", "-", *options], input=content, capture_output=True, check=False
    )


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    done = run(counts_file(), "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_one_start_and_one_end_of_each_insight(events: list[dict[str, Any]]) -> None:
    found = sorted((e["insightDetails"]["insightType"], e["insightDetails"]["state"]) for e in events)

    assert found == [
        ("ApiCallRateInsight", "End"),
        ("ApiCallRateInsight", "Start"),
        ("ApiErrorRateInsight", "End"),
        ("ApiErrorRateInsight", "Start"),
    ]
    assert len({e["eventID"] for e in events}) == 4
    assert len({e["sharedEventID"] for e in events}) == 2


def test_the_record_has_the_guides_members(events: list[dict[str, Any]]) -> None:
    end = next(
        e for e in events if e["insightDetails"]["state"] == "End" and "errorCode" not in e["insightDetails"]
    )

    statistics = end["insightDetails"]["insightContext"]["statistics"]
    attributions = end["insightDetails"]["insightContext"]["attributions"]
    assert list(end) == [
        *("eventVersion", "eventTime", "awsRegion", "eventID", "eventType", "recipientAccountId"),
        *("sharedEventID", "insightDetails", "eventCategory"),
    ]
    assert (end["eventType"], end["eventCategory"]) == ("AwsCloudTrailInsight", "Insight")
    assert end["eventTime"] == from_minute(BEGIN + 10)
    assert statistics["insight"] == {"average": 50.1}  # one of the minutes has its usual call, too
    assert (statistics["insightDuration"], statistics["baselineDuration"]) == (10, 11336)
    assert [a["attribute"] for a in attributions] == ["errorCode"]
    assert attributions[0]["insight"] == [
        {"value": "null", "average": 30.1},
        {"value": "AccessDenied", "average": 20},
    ]


def test_error_rates_name_their_code_and_carry_no_attribution_of_it(events: list[dict[str, Any]]) -> None:
    of_errors = [e["insightDetails"] for e in events if "errorCode" in e["insightDetails"]]

    assert {d["errorCode"] for d in of_errors} == {"AccessDenied"}
    assert all("attributions" not in d["insightContext"] for d in of_errors)


def test_the_same_counts_give_the_same_bytes() -> None:
    content = counts_file()

    assert run(content).stdout == run(content).stdout


def test_what_is_no_counts_file_ends_in_exit_code_2() -> None:
    done = run(b"{}")

    assert done.returncode == 2
    assert b"line 1" in done.stderr
