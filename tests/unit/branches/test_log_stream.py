"""Chunks -> batches that PutLogEvents takes."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from opentrail.branches.log_stream import Batch, make_batches, make_streams
from opentrail.branches.log_stream.batches import (
    EVENT_OVERHEAD,
    MAX_AGE_MS,
    MAX_BATCH_BYTES,
    MAX_BATCH_EVENTS,
    MAX_EVENT_BYTES,
    MAX_SPAN_MS,
)
from opentrail.branches.log_stream.streams import BATCHES_PER_STREAM
from opentrail.format.keys import INSIGHTS, LOGS, NETWORK
from opentrail.format.times import from_epoch, to_iso
from opentrail.model.event import Place
from opentrail.model.log_file import Chunk, Destination
from tests.support.values import START, make_chunk, make_destination, make_event

NOW = int(START.timestamp() * 1000)


def chunk(*raws: bytes) -> Chunk:
    events = [make_event(f"e{i}", raw=raw) for i, raw in enumerate(raws)]
    whole = make_chunk(*[event.event_id for event in events])
    return Chunk(
        **{n: getattr(whole, n) for n in whole.__struct_fields__ if n != "lines"}, lines=b"\n".join(raws)
    )


def record(milliseconds: int, text: str = "") -> bytes:
    """A record of a time relative to ``NOW``."""
    moment = to_iso(from_epoch((NOW + milliseconds) / 1000))
    return json.dumps({"eventTime": moment, "text": text}, ensure_ascii=False).encode()


def batches(*raws: bytes) -> list[Batch]:
    return list(make_batches([chunk(*raws)], now_ms=NOW))


def streams(*chunks: Chunk, trail: Destination | None = None) -> list[tuple[str, int]]:
    """Each batch's stream with the number of its events."""
    made = make_streams(trail or make_destination(), chunks, now_ms=NOW)
    return [(name, len(batch)) for name, batch in made]


def test_a_stream_is_named_after_the_trails_account_and_home_region() -> None:
    elsewhere = Place("123456789012", "eu-west-1")

    assert streams(make_chunk("a"), make_chunk("b", place=elsewhere)) == [
        ("123456789012_CloudTrail_us-east-1", 2)
    ]


def test_an_organizations_streams_begin_with_its_id_and_name_each_account() -> None:
    trail = make_destination(organization_id="o-exampleorgid")
    member = Place("222222222222", "eu-west-1")

    assert streams(make_chunk("a"), make_chunk("b", place=member), trail=trail) == [
        ("o-exampleorgid_123456789012_CloudTrail_us-east-1", 1),
        ("o-exampleorgid_222222222222_CloudTrail_us-east-1", 1),
    ]


def test_large_volume_goes_on_in_numbered_streams() -> None:
    full = record(0, "x" * (MAX_EVENT_BYTES - 60))  # three of them fill a batch

    made = streams(chunk(*[full] * (3 * 2 * BATCHES_PER_STREAM + 1)))

    first = "123456789012_CloudTrail_us-east-1"
    assert made == [
        *[(first, 3)] * BATCHES_PER_STREAM,
        *[(f"{first}_2", 3)] * BATCHES_PER_STREAM,
        (f"{first}_3", 1),
    ]


def test_insights_are_streamed_and_network_activity_is_not() -> None:
    made = [len(streams(make_chunk("a", folder=folder))) for folder in (LOGS, INSIGHTS, NETWORK)]

    assert made == [1, 1, 0]


def test_a_log_event_is_the_record_at_its_eventtime() -> None:
    ((event,),) = batches(record(-5000, "é"))

    assert (event.timestamp, event.message) == (NOW - 5000, record(-5000, "é").decode())


def test_a_time_that_is_missing_too_old_or_ahead_gives_way_to_now() -> None:
    odd = [b"{}", b'{"eventTime":5}', b'{"eventTime":"x"}', record(-MAX_AGE_MS), record(60_000)]

    stamps = [event.timestamp for batch in batches(*odd) for event in batch]

    assert stamps == [NOW] * len(odd)


def test_a_record_nested_too_deeply_to_read_again_is_sent_all_the_same() -> None:
    deep = b'{"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}"

    assert [event.timestamp for batch in batches(deep) for event in batch] == [NOW]


def test_a_record_cloudtrail_would_not_send_is_left_out() -> None:
    fits = b'{"x":"' + b"y" * (MAX_EVENT_BYTES - 8) + b'"}'

    sent = [event.message for batch in batches(fits, fits[:-2] + b'y"}') for event in batch]

    assert sent == [fits.decode()]


def test_more_events_than_one_call_takes_make_another_batch() -> None:
    sizes = [len(batch) for batch in batches(*[b"{}"] * (MAX_BATCH_EVENTS + 1))]

    assert sizes == [MAX_BATCH_EVENTS, 1]


@given(
    events=st.lists(
        st.tuples(
            st.integers(-MAX_AGE_MS // 1000 + 1, 0), st.sampled_from([0, 10, 100_000, MAX_EVENT_BYTES - 60])
        ),
        min_size=1,
        max_size=20,
    )
)
def test_batches_ascend_and_keep_every_limit(events: list[tuple[int, int]]) -> None:
    raws = [record(seconds * 1000, "x" * size) for seconds, size in events]

    made = batches(*raws)

    sent = [event for batch in made for event in batch]
    assert sorted(event.message for event in sent) == sorted(raw.decode() for raw in raws)
    assert [event.timestamp for event in sent] == sorted(event.timestamp for event in sent)
    for batch in made:
        assert sum(len(event.message.encode()) + EVENT_OVERHEAD for event in batch) <= MAX_BATCH_BYTES
        assert batch[-1].timestamp - batch[0].timestamp <= MAX_SPAN_MS
