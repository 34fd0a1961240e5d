"""What the index keeps for Insights: exact counts, and the most frequent callers in few bytes."""

from __future__ import annotations

import json
import zlib
from typing import Any

from opentrail.branches.history.attributes import read_records
from opentrail.branches.history.tally import DATA, MANAGEMENT, MAX_CALLERS_BYTES, Tally
from tests.support.records import make_record, to_bytes

ROLE = "arn:aws:sts::111122223333:assumed-role/Deploy"
CREATE_USER = "iam.amazonaws.com\nCreateUser\n"


def tally(*records: dict[str, Any], category: str = MANAGEMENT) -> Tally:
    made = Tally(category)
    made.add(read_records(b"\n".join(to_bytes(record) for record in records)))
    return made


def callers(made: Tally) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(zlib.decompress(made.callers()))
    return read


def by_role(session: str, **changes: Any) -> dict[str, Any]:
    return make_record(userIdentity={"type": "AssumedRole", "arn": f"{ROLE}/{session}"}, **changes)


def test_the_sessions_of_a_role_are_that_role() -> None:
    made = tally(by_role("a", userAgent="boto3"), by_role("b/c", userAgent="boto3"))

    minutes = {"2026-01-10T04:20": 2}
    assert callers(made) == {
        CREATE_USER: {"userIdentityArn": {ROLE: minutes}, "userAgent": {"boto3": minutes}}
    }


def test_a_failed_write_counts_as_a_call_and_as_an_error() -> None:
    made = tally(make_record(errorCode="AccessDenied"), make_record(readOnly=True, errorCode="AccessDenied"))

    assert json.loads(zlib.decompress(made.counts())) == {
        CREATE_USER: {"2026-01-10T04:20": 1},
        f"{CREATE_USER}AccessDenied": {"2026-01-10T04:20": 2},
    }


def test_data_events_count_apart_reads_too_and_by_resource() -> None:
    get = make_record(
        eventCategory="Data",
        eventSource="s3.amazonaws.com",
        eventName="GetObject",
        readOnly=True,
        userAgent="boto3",
        userIdentity={},
        resources=[{"ARN": "arn:aws:s3:::b/k"}, {"ARNPrefix": "arn:aws:s3:::b/"}],
    )

    made = tally(get, make_record(), category=DATA)

    once = {"2026-01-10T04:20": 1}
    assert callers(made) == {
        "s3.amazonaws.com\nGetObject\n": {
            "userIdentityArn": {},
            "userAgent": {"boto3": once},
            "resourceArn": {"arn:aws:s3:::b/k": once, "arn:aws:s3:::b/": once},
        }
    }


def test_of_many_agents_the_ten_most_frequent_are_kept() -> None:
    records = [make_record(userAgent=f"agent-{n}") for n in range(500) for _ in range(1 + (n % 100 == 0))]

    agents = callers(tally(*records))[CREATE_USER]["userAgent"]

    assert len(agents) == 10
    assert {f"agent-{n}" for n in range(0, 500, 100)} < set(agents)


def test_hostile_records_keep_the_index_item_small() -> None:
    records = [
        make_record(eventName=f"Api{api}", userAgent=f"{api * 7919 % 10007}-{n}" * 150)
        for api in range(400)
        for n in range(10)
    ]

    assert len(tally(*records).callers()) <= MAX_CALLERS_BYTES
