"""CloudTrail's own log files -> events: what is taken, what is left, and byte for byte."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.errors import FormatError
from opentrail.format.keys import LogKey, digest_key, log_key
from opentrail.model.event import Place
from opentrail.pipeline.record import Skipped, Taken, judge_key, take_log_file
from tests.support.records import ACCOUNT, REGION, make_record, sample_lines, to_bytes
from tests.support.values import HOME, START

OWN = f"arn:aws:iam::{ACCOUNT}:role/OpenTrail-ingest-us-east-1"
ROOT = f"AWSLogs/{ACCOUNT}/"


def key_of(folder: str = "CloudTrail", prefix: str = "", organization: str = "") -> str:
    token = "abcdefABCDEF0123"
    return log_key(
        prefix=prefix, organization=organization, place=HOME, folder=folder, delivered=START, token=token
    )


def document(*records: bytes) -> bytes:
    return b'{"Records":[' + b",".join(records) + b"]}"


def take(body: bytes, *, key: str = "", max_bytes: int = 1_000_000) -> Taken:
    judged = judge_key(key or key_of())
    assert isinstance(judged, LogKey)
    return take_log_file(body, judged, arrived_at=START.timestamp(), own_roles=[OWN], max_bytes=max_bytes)


@pytest.mark.parametrize("folder", ["CloudTrail", "CloudTrail-NetworkActivity"])
@pytest.mark.parametrize(("prefix", "organization"), [("", ""), ("a/b", ""), ("", "o-abcdefghij")])
def test_log_files_of_every_layout_are_taken(folder: str, prefix: str, organization: str) -> None:
    judged = judge_key(key_of(folder, prefix, organization))

    assert isinstance(judged, LogKey)
    assert (judged.place, judged.folder) == (HOME, folder)


SKIPPED = {
    digest_key(
        prefix="", organization="", place=HOME, trail="t", home_region=REGION, end=START
    ): Skipped.DIGEST,
    f"{ROOT}CloudTrail-Digest/us-east-1/2026/01/10/odd": Skipped.DIGEST,
    key_of("CloudTrail-Insight"): Skipped.INSIGHT,
    key_of("CloudTrail-Aggregated"): Skipped.OTHER,
    f"{ROOT}": Skipped.OTHER,
    f"{ROOT}Config/us-east-1/2026/1/10/ConfigHistory/x.json.gz": Skipped.OTHER,
    f"{ROOT}elasticloadbalancing/us-east-1/2026/01/10/x.log.gz": Skipped.OTHER,
    "cloudtrail.json.gz": Skipped.OTHER,
}


@pytest.mark.parametrize(("key", "reason"), SKIPPED.items())
def test_all_else_is_left_for_a_reason(key: str, reason: Skipped) -> None:
    assert judge_key(key) is reason


def test_records_keep_their_bytes_and_arrive_by_the_place_in_the_key() -> None:
    raw = b'{ "eventID":"e" , "big":123456789012345678901234567890,"odd":"\\u00e9\\/"}'

    (event,) = take(gzip.compress(document(raw))).events

    assert (event.raw, event.arrived, event.place) == (raw, HOME, HOME)
    assert (event.arrived_at, event.time) == (START.timestamp(), "2026-01-10T04:20:00Z")


def test_a_record_of_another_account_goes_under_that_and_is_seen_by_trails_of_this() -> None:
    (event,) = take(document(to_bytes(make_record(recipientAccountId="222222222222")))).events

    assert (event.place, event.arrived) == (Place("222222222222", REGION), HOME)


def test_a_file_may_be_plain_or_empty() -> None:
    assert take(document()) == Taken()
    assert len(take(document(to_bytes(make_record()))).events) == 1


def test_calls_of_our_own_functions_are_left_out() -> None:
    ours = make_record(
        userIdentity={"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": OWN}}}
    )

    taken = take(document(to_bytes(ours), to_bytes(make_record())))

    assert (taken.own, len(taken.events)) == (1, 1)


def test_one_bad_record_keeps_no_other_and_is_named() -> None:
    taken = take(document(b'{"eventName":"x"}', to_bytes(make_record()), b"7"))

    assert len(taken.events) == 1
    assert taken.complaint == (
        "2 of 3 records unreadable, the others are taken: record 0: record has no eventID; "
        "record 2: record is not a JSON object: Expected `object`, got `int`"
    )


def test_many_bad_records_are_counted_and_a_few_named() -> None:
    taken = take(document(*[b"{}"] * 1000))

    assert (len(taken.unreadable), taken.complaint.count("record has no eventID")) == (1000, 3)


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_is_unpacked() -> None:
    bomb = gzip.compress(b" " * 5_000_000)

    with pytest.raises(FormatError, match="more than 1000000 bytes"):
        take(bomb)


@given(st.binary() | st.builds(gzip.compress, st.binary()) | st.text().map(lambda t: document(t.encode())))
def test_whatever_the_bytes_only_format_errors_leave(body: bytes) -> None:
    try:
        take(body)
    except FormatError:
        return


def test_real_records_come_through_byte_for_byte() -> None:
    lines = sample_lines()

    taken = take(gzip.compress(document(*lines)), max_bytes=50_000_000)

    assert [event.raw for event in taken.events] == lines
    assert [event.event_id for event in taken.events] == [json.loads(line)["eventID"] for line in lines]
