"""Events -> chunks: every event once per destination, in as few chunks as fit."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from opentrail.model.event import Event, Place
from opentrail.model.log_file import Chunk
from opentrail.model.trail import Trail
from opentrail.pipeline.select import Selection, pack_events
from tests.support.values import ABROAD, HOME, make_event, make_trail

OTHER = Place("999988887777", "us-east-1")
TRAILS = [
    make_trail(name="all"),
    make_trail(name="home", multi_region=False),
    make_trail(name="other", account=OTHER.account),
]


def pack(events: list[Event], *trails: Trail, size: int = 1_000_000) -> list[Chunk]:
    return list(pack_events(events, Selection(trails, history_bucket="past"), max_chunk_bytes=size))


def landed(chunks: list[Chunk]) -> Counter[tuple[str, bytes]]:
    """How often each record goes to each destination."""
    return Counter(
        (destination.name, line)
        for chunk in chunks
        for destination in chunk.destinations
        for line in chunk.lines.split(b"\n")
    )


events = st.lists(
    st.builds(
        make_event,
        st.text("abcdefgh", min_size=1, max_size=2),
        place=st.sampled_from([HOME, ABROAD, OTHER]),
        category=st.sampled_from(["Management", "Data", "Insight"]),
    ),
    unique_by=lambda event: event.event_id,
)


@given(batch=events, size=st.integers(1, 3000))
def test_every_event_goes_once_to_each_of_its_destinations(batch: list[Event], size: int) -> None:
    selection = Selection(TRAILS, history_bucket="past")

    chunks = pack(batch, *TRAILS, size=size)

    assert landed(chunks) == Counter(
        (destination.name, event.raw) for event in batch for destination in selection.destinations(event)
    )


@given(batch=events, size=st.integers(1, 3000))
def test_a_chunk_is_of_one_place_and_holds_more_than_fits_only_for_a_single_record(
    batch: list[Event], size: int
) -> None:
    place_of = {event.raw: event.place for event in batch}

    chunks = pack(batch, *TRAILS, size=size)

    for chunk in chunks:
        lines = chunk.lines.split(b"\n")
        assert {place_of[line] for line in lines} == {chunk.place}
        assert len(chunk.lines) <= size or chunk.count == len(lines) == 1


@given(batch=events)
def test_the_same_events_give_the_same_chunks(batch: list[Event]) -> None:
    assert pack(batch, *TRAILS, size=1500) == pack(batch, *TRAILS, size=1500)


def test_an_event_that_comes_twice_in_a_batch_is_taken_once() -> None:
    chunks = pack([make_event("a"), make_event("b"), make_event("a")], make_trail())

    assert [chunk.count for chunk in chunks] == [2]


def test_trails_that_want_the_same_events_share_a_chunk() -> None:
    chunks = pack([make_event("a"), make_event("b")], make_trail(name="x"), make_trail(name="y"))

    assert [(len(chunk.destinations), chunk.count) for chunk in chunks] == [(3, 2)]


def test_a_chunk_fills_to_the_last_byte() -> None:
    two = [make_event("a"), make_event("b")]
    exact = len(two[0].raw) + 1 + len(two[1].raw)

    assert [chunk.count for chunk in pack(two, size=exact)] == [2]
    assert [chunk.count for chunk in pack(two, size=exact - 1)] == [1, 1]


def test_insights_go_to_a_folder_of_their_own() -> None:
    chunks = pack([make_event("a"), make_event("b", category="Insight")])

    assert [chunk.folder for chunk in chunks] == ["CloudTrail", "CloudTrail-Insight"]


def test_events_nobody_wants_are_in_no_chunk() -> None:
    assert pack([make_event(category="Data")], make_trail()) == []


@given(batch=events, known=st.sets(st.text("abcdefgh", min_size=1, max_size=2)), size=st.integers(1, 3000))
def test_known_events_are_left_out_and_change_no_id(batch: list[Event], known: set[str], size: int) -> None:
    selection = Selection(TRAILS, history_bucket="past")

    chunks = list(pack_events(batch, selection, max_chunk_bytes=size, known=known))

    assert landed(chunks) == Counter(
        (destination.name, event.raw)
        for event in batch
        if event.event_id not in known
        for destination in selection.destinations(event)
    )
    assert {chunk.id for chunk in chunks} <= {chunk.id for chunk in pack(batch, *TRAILS, size=size)}
