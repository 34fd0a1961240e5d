"""1,655 real records through the line: each in exactly one log file, byte for byte."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from opentrail.format.keys import parse_log_key
from opentrail.model.log_file import HISTORY
from tests.support.line import Line
from tests.support.records import ACCOUNT, envelope, make_record, sample_lines, to_bytes

EVERYTHING = [
    {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
    }
]
INSIGHTS = [{"InsightType": "ApiCallRateInsight"}, {"InsightType": "ApiErrorRateInsight"}]


def deliver_all(line: Line, bodies: list[str]) -> None:
    """Record in batches as the queue hands them out, then deliver everything."""
    for start in range(0, len(bodies), 500):
        line.record(bodies[start : start + 500])
    line.deliver(line.queued_chunks())


def test_every_real_record_is_in_exactly_one_log_file_unchanged(line: Line) -> None:
    lines = sample_lines()
    line.start_trail(event_selectors=EVERYTHING, insight_selectors=INSIGHTS)

    deliver_all(line, [envelope(raw) for raw in lines])

    delivered = Counter(raw for records in line.logs().values() for raw in records)
    assert delivered == Counter(lines)
    assert line.rejected() == []


def test_default_selectors_leave_out_data_events_and_insights_only(line: Line) -> None:
    lines = sample_lines()
    line.start_trail()

    deliver_all(line, [envelope(raw) for raw in lines])

    delivered = {raw for records in line.logs().values() for raw in records}
    left_out = Counter(json.loads(raw)["eventCategory"] for raw in lines if raw not in delivered)
    assert left_out == {"Data": 11, "Insight": 1}


def test_a_record_goes_under_its_own_account_and_region(line: Line) -> None:
    lines = sample_lines()
    line.start_trail()

    deliver_all(line, [envelope(raw) for raw in lines])

    for key, records in line.logs().items():
        place = parse_log_key(key).place
        for record in map(json.loads, records):
            assert named(record, "recipientAccountId", r"\d{12}") in (place.account, None)
            assert named(record, "awsRegion", r"[a-z0-9-]+") in (place.region, None)


def named(record: dict[str, Any], field: str, shape: str) -> str | None:
    """The field's value where the record's owner has not masked it."""
    value = record.get(field)
    return value if isinstance(value, str) and re.fullmatch(shape, value) else None


def test_a_record_without_eventtime_takes_its_carriers_time(line: Line) -> None:
    line.start_trail()

    line.record([envelope(to_bytes(make_record(eventTime=None)), time="2026-01-10T04:19:07Z")])

    times = {(chunk.oldest, chunk.newest) for chunk in line.queued_chunks()}
    assert times == {("2026-01-10T04:19:07Z", "2026-01-10T04:19:07Z")}


def test_malformed_messages_go_to_the_dead_letter_queue_with_a_reason(line: Line) -> None:
    line.start_trail()
    good = make_record()
    bodies = [
        "{",
        "[]",
        '{"detail":{}}',
        envelope(b'{"eventName":"CreateUser"}'),
        envelope(b'"text"'),
        envelope(b'{"eventID":"\\ud800"}'),
        envelope(to_bytes(good)),
    ]

    line.record(bodies)

    reasons = {
        message["Body"]: message["MessageAttributes"]["reason"]["StringValue"] for message in line.rejected()
    }
    assert set(reasons) == set(bodies[:6])
    assert reasons[bodies[3]] == "record has no eventID"
    assert reasons[bodies[4]] == "record is not a JSON object: Expected `object`, got `str`"
    assert all(reasons.values())
    assert {chunk.count for chunk in line.queued_chunks()} == {1}


def test_history_takes_management_events_with_no_trail_at_all(line: Line) -> None:
    records = [make_record(), make_record(managementEvent=False, eventCategory="Data")]

    line.record(envelope(to_bytes(record)) for record in records)

    chunks = line.queued_chunks()
    assert [([d.name for d in chunk.destinations], chunk.count) for chunk in chunks] == [([HISTORY], 1)]


def test_our_own_functions_are_not_recorded(line: Line) -> None:
    own = f"arn:aws:iam::{ACCOUNT}:role/opentrail-deliver"
    identity = {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": own}}}
    line.start_trail()

    accepted = line.record([envelope(to_bytes(make_record(userIdentity=identity)))])

    assert (accepted.own, line.queued_chunks()) == (1, [])


def test_a_stopped_trail_takes_what_happened_before_it_stopped(line: Line) -> None:
    trail = line.start_trail()
    line.wait(minutes=10)
    stopped = line.now.timestamp()
    line.start_trail(started_at=trail.started_at, logging=False, stopped_at=stopped)
    before = make_record(eventTime="2026-01-10T04:29:00Z")
    after = make_record(eventTime="2026-01-10T04:31:00Z")
    line.wait(minutes=5)

    line.record(envelope(to_bytes(record)) for record in (before, after))

    to_trail = [c for c in line.queued_chunks() if trail.arn in [d.name for d in c.destinations]]
    assert [json.loads(c.lines)["eventID"] for c in to_trail] == [before["eventID"]]
