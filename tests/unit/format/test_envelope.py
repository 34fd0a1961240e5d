"""EventBridge events -> the record inside, byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.errors import FormatError
from opentrail.format.envelope import parse_envelope
from opentrail.model.event import Place
from tests.support.records import envelope, make_record, sample_lines, to_bytes
from tests.unit.format.test_event import records


def test_the_bus_is_where_the_event_arrived_and_the_record_where_it_belongs() -> None:
    raw = to_bytes(make_record(recipientAccountId="111122223333", awsRegion="us-west-2"))

    event = parse_envelope(envelope(raw, account="999988887777", region="eu-west-1"), arrived_at=5.25)

    assert event.arrived == Place("999988887777", "eu-west-1")
    assert event.place == Place("111122223333", "us-west-2")
    assert event.arrived_at == 5.25


@given(record=records)
def test_the_record_comes_out_byte_for_byte(record: dict[str, Any]) -> None:
    raw = json.dumps(record, ensure_ascii=False, separators=(", ", " : ")).encode()

    assert parse_envelope(envelope(raw), arrived_at=0.0).raw == raw


def test_every_real_record_comes_out_byte_for_byte() -> None:
    lines = sample_lines()

    assert [parse_envelope(envelope(line), arrived_at=0.0).raw for line in lines] == lines


def test_a_record_without_time_takes_the_envelopes() -> None:
    body = envelope(to_bytes(make_record(eventTime=None)), time="2026-01-10T04:19:07Z")

    assert parse_envelope(body, arrived_at=0.0).time == "2026-01-10T04:19:07Z"


MALFORMED = {
    "nothing": "",
    "no object": "[]",
    "no detail": '{"account":"1","region":"r","time":"t"}',
    "no account": '{"region":"r","time":"t","detail":{"eventID":"e"}}',
    "an account that is a number": '{"account":1,"region":"r","time":"t","detail":{"eventID":"e"}}',
    "a detail that is a string": '{"account":"1","region":"r","time":"t","detail":"{}"}',
    "a record without eventID": '{"account":"1","region":"r","time":"t","detail":{}}',
    "a lone surrogate in the message": '{"account":"\ud800","region":"r","time":"t","detail":{}}',
    "nested too deeply": '{"detail":' + "[" * 100_000,
    "cut off": envelope(to_bytes(make_record()))[:-1],
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_event_is_a_format_error(body: str) -> None:
    with pytest.raises(FormatError):
        parse_envelope(body, arrived_at=0.0)


@given(body=st.text())
def test_any_text_lets_only_format_errors_out(body: str) -> None:
    with pytest.raises(FormatError):
        parse_envelope(body, arrived_at=0.0)
