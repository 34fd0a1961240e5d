"""Ten thousand calls at once from eight threads: every one recorded, once, in its caller's order."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from opentrail.testing.world import OpenTrail

CALLERS = 8
CALLS = 1250  # each

Made = list[tuple[str, str]]  # name of the caller, request id


def mixed_calls(opentrail: OpenTrail, caller: str, keys: dict[str, str]) -> Made:
    """Make reads and writes, calls that fail and calls in another Region; return them as answered."""
    sts, iam, sqs, dynamodb, abroad = (
        opentrail.client("sts", credentials=keys),
        opentrail.client("iam", credentials=keys),
        opentrail.client("sqs", credentials=keys),
        opentrail.client("dynamodb", credentials=keys),
        opentrail.client("sqs", credentials=keys, region="eu-west-1"),
    )
    url = sqs.create_queue(QueueName=caller)["QueueUrl"]
    kinds: list[Callable[[int], Any]] = [
        lambda number: sts.get_caller_identity(),
        lambda number: iam.tag_user(UserName=caller, Tags=[{"Key": "n", "Value": str(number)}]),
        lambda number: dynamodb.list_tables(),
        lambda number: sqs.tag_queue(QueueUrl=url, Tags={"n": str(number)}),
        lambda number: abroad.create_queue(QueueName=f"{caller}-abroad"),
        lambda number: dynamodb.describe_table(TableName=f"absent-{number}"),
    ]
    answers = [answer_of(kinds[number % len(kinds)], number) for number in range(CALLS - 1)]
    return [(caller, answer["ResponseMetadata"]["RequestId"]) for answer in answers]


def answer_of(call: Callable[[int], Any], number: int) -> Any:
    from botocore.exceptions import ClientError

    try:
        return call(number)
    except ClientError as error:
        return error.response


def callers_of(opentrail: OpenTrail) -> dict[str, dict[str, str]]:
    iam, keys = opentrail.client("iam"), {}
    for number in range(CALLERS):
        name = f"caller-{number}"
        iam.create_user(UserName=name)
        keys[name] = iam.create_access_key(UserName=name)["AccessKey"]
    return keys


def who_and_what(event: dict[str, Any]) -> tuple[str, str]:
    return event["userIdentity"]["userName"], event["requestID"]


def history_of(opentrail: OpenTrail, caller: str) -> list[dict[str, Any]]:
    """What LookupEvents has of ``caller`` in both Regions, oldest first; each Region's answer as it came."""
    wanted = [{"AttributeKey": "Username", "AttributeValue": caller}]
    regional = []
    for region in (opentrail.region, "eu-west-1"):
        paginator = opentrail.client("cloudtrail", region=region).get_paginator("lookup_events")
        pages = paginator.paginate(LookupAttributes=wanted)
        newest_first = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
        regional.append(reversed(newest_first))
    return list(heapq.merge(*regional, key=lambda event: (event["eventTime"], event["eventID"])))


def by_caller(made: Made) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for caller, request_id in made:
        found.setdefault(caller, []).append(request_id)
    return found


def test_ten_thousand_calls_leave_ten_thousand_records(opentrail: OpenTrail) -> None:
    trail = opentrail.trail()
    keys = callers_of(opentrail)
    opentrail.forget()

    with ThreadPoolExecutor(CALLERS) as pool:
        done = pool.map(lambda name: mixed_calls(opentrail, name, keys[name]), keys)
        made = [call for calls in done for call in calls]
    opentrail.flush()

    records = [event for event in trail.events() if event["userIdentity"]["type"] == "IAMUser"]
    creations = trail.events("CreateQueue", pattern={"detail": {"awsRegion": ["us-east-1"]}})
    assert len(opentrail.events()) == len(records) == CALLERS * CALLS == 10_000
    assert set(Counter(event["eventID"] for event in records).values()) == {1}
    assert len(creations) == CALLERS
    made_first = {event["eventID"] for event in creations}
    recorded = [who_and_what(event) for event in records if event["eventID"] not in made_first]
    assert by_caller(recorded) == by_caller(made)
    caller, request_ids = list(by_caller(made).items())[-1]
    calls = history_of(opentrail, caller)
    assert [call["requestID"] for call in calls if call["eventID"] not in made_first] == request_ids
