"""Chunks on their way through the delivery queue."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.errors import FormatError
from opentrail.format.chunk import decode_chunk, encode_chunk, make_chunk
from opentrail.format.event import parse_event
from opentrail.model.event import Event, Place
from opentrail.model.log_file import Chunk, Destination
from tests.support.records import make_record, to_bytes

PLACE = Place("123456789012", "us-east-1")
TRAIL = Destination(name="arn:aws:cloudtrail:us-east-1:123456789012:trail/main", bucket="audit-logs")
OTHER = Destination(name="arn:aws:cloudtrail:us-east-1:123456789012:trail/other", bucket="audit-logs")


def event(event_id: str, time: str = "2026-01-10T04:20:31Z", text: str = "") -> Event:
    raw = to_bytes(
        make_record(eventID=event_id, requestID="r", eventTime=time, requestParameters={"text": text})
    )
    return parse_event(raw, arrived=PLACE, arrived_at=0.0, arrived_time=time)


def chunk(
    *events: Event,
    destinations: tuple[Destination, ...] = (TRAIL,),
    folder: str = "CloudTrail",
    place: Place = PLACE,
) -> Chunk:
    return make_chunk(events, destinations=destinations, place=place, folder=folder)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
full = st.builds(
    Destination,
    name=texts,
    bucket=texts,
    prefix=texts,
    organization_id=texts,
    kms_key_arn=texts,
    sns_topic_arn=texts,
    log_group_arn=texts,
    digested_since=st.floats(0, 2e9),
)


@given(contents=st.lists(texts, min_size=1, max_size=5), destinations=st.lists(full, max_size=3))
def test_a_chunk_is_read_back_as_it_was(contents: list[str], destinations: list[Destination]) -> None:
    sent = chunk(
        *[event(f"e{i}", text=text) for i, text in enumerate(contents)], destinations=tuple(destinations)
    )

    assert decode_chunk(encode_chunk(sent)) == sent


def test_a_chunk_counts_its_records_and_spans_their_times() -> None:
    times = ("2026-01-10T04:20:31Z", "2026-01-10T04:19:00Z", "2026-01-10T04:21:00Z")
    events = [event(f"e{i}", time) for i, time in enumerate(times)]

    made = chunk(*events)

    assert (made.count, made.oldest, made.newest) == (3, times[1], times[2])
    assert made.lines == b"\n".join(e.raw for e in events)


def test_the_same_events_selected_again_give_the_same_message() -> None:
    assert encode_chunk(chunk(event("a"), event("b"))) == encode_chunk(chunk(event("a"), event("b")))


CHANGED = {
    "events": chunk(event("a")),
    "their order": chunk(event("b"), event("a")),
    "folder": chunk(event("a"), event("b"), folder="CloudTrail-Insight"),
    "place": chunk(event("a"), event("b"), place=Place("1" * 12, "eu-west-1")),
}


@pytest.mark.parametrize("changed", CHANGED.values(), ids=CHANGED.keys())
def test_the_id_tells_chunks_apart_by(changed: Chunk) -> None:
    assert changed.id != chunk(event("a"), event("b")).id


def test_a_trail_that_is_new_at_the_second_attempt_makes_no_new_chunk_for_the_others() -> None:
    assert chunk(event("a"), destinations=(TRAIL, OTHER)).id == chunk(event("a"), destinations=(TRAIL,)).id


def test_events_that_became_known_are_left_out_under_the_same_id() -> None:
    a, b = event("a"), event("b")

    made = make_chunk([a, b], destinations=(TRAIL,), place=PLACE, folder="CloudTrail", known={"a"})

    assert (made.id, made.count, made.lines) == (chunk(a, b).id, 1, b.raw)


def test_one_eventid_with_a_line_end_is_not_mistaken_for_two() -> None:
    assert chunk(event("a\nb")).id != chunk(event("a"), event("b")).id


def test_a_wrong_count_is_a_format_error() -> None:
    body = json.loads(encode_chunk(chunk(event("a"), event("b"))))

    with pytest.raises(FormatError, match="says 3 records"):
        decode_chunk(json.dumps({**body, "count": 3}))


BODY = json.loads(encode_chunk(chunk(event("a"))))
MALFORMED = {
    "nothing": "",
    "no object": "[]",
    "no data": json.dumps({name: value for name, value in BODY.items() if name != "data"}),
    "data that is no base64": json.dumps({**BODY, "data": "é"}),
    "data that is no gzip": json.dumps({**BODY, "data": "AAAA"}),
    "data that ends early": json.dumps({**BODY, "data": BODY["data"][:40]}),
    "a count that is text": json.dumps({**BODY, "count": "1"}),
    "a lone surrogate": '{"id":"\ud800"}',
    "nested too deeply": '{"x":' + "[" * 100_000,
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_chunk_is_a_format_error(text: str) -> None:
    with pytest.raises(FormatError):
        decode_chunk(text)


@given(text=st.text())
def test_any_text_lets_only_format_errors_out(text: str) -> None:
    with pytest.raises(FormatError):
        decode_chunk(text)
