"""Whatever trails want, however often chunks come: each copy is counted once, and one is the first."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from opentrail.branches.history import count_data_events
from opentrail.model.event import Event, Resource
from opentrail.model.log_file import HISTORY, FileState
from opentrail.model.trail import Trail
from opentrail.model.usage import Usage
from opentrail.pipeline.deliver import deliver_chunks
from opentrail.pipeline.select import Selection, pack_events
from tests.support.fakes import FakeLedger, FakeStore, describe, make_tokens
from tests.support.values import START, make_event, make_trail

OBJECT = Resource(type="AWS::S3::Object", arn="arn:aws:s3:::things/a")
ANY_OBJECT = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]

trails = st.lists(
    st.tuples(
        st.sampled_from(["All", "ReadOnly", "WriteOnly"]), st.booleans(), st.booleans(), st.floats(0, 9)
    ),
    max_size=4,
)
events = st.lists(st.tuples(st.sampled_from(["Management", "Data"]), st.booleans()), min_size=1, max_size=12)


def as_trails(drawn: list[tuple[str, bool, bool, float]]) -> list[Trail]:
    return [
        make_trail(
            name=f"trail-{number}",
            created_at=created,
            log_file_validation=validation,
            event_selectors=[
                {
                    "ReadWriteType": kind,
                    "IncludeManagementEvents": True,
                    "DataResources": ANY_OBJECT if data else [],
                }
            ],
        )
        for number, (kind, data, validation, created) in enumerate(drawn)
    ]


def as_event(number: int, category: str, read_only: bool) -> Event:
    touched = {"source": "s3.amazonaws.com", "name": "GetObject", "resources": (OBJECT,)}
    more = touched if category == "Data" else {}
    return make_event(f"e{number}", category=category, read_only=read_only, **more)


def metered(ledger: FakeLedger) -> dict[str, Usage]:
    """By destination, over the rows of delivered files."""
    sums: dict[str, Usage] = {}
    for row in ledger.rows.values():
        assert row.state is FileState.DELIVERED
        name = row.id.rsplit("#", 3)[1] if row.id.startswith("file#") else row.id.split("#")[1]
        sums[name] = sums.get(name, Usage()) + row.file.usage
    return sums


@given(wanted=trails, arrived=events, batches=st.lists(st.integers(0, 5), max_size=4))
def test_every_copy_is_counted_once(
    wanted: list[tuple[str, bool, bool, float]], arrived: list[tuple[str, bool]], batches: list[int]
) -> None:
    selection = Selection(as_trails(wanted), history_bucket="past")
    happened = [as_event(number, *drawn) for number, drawn in enumerate(arrived)]
    chunks = list(pack_events(happened, selection, max_chunk_bytes=10_000))
    ledger, tokens = FakeLedger(), make_tokens()

    for again in [chunks[:end] for end in batches] + [chunks]:
        deliver_chunks(
            again,
            ledger=ledger,
            store=FakeStore(),
            describe=describe,
            count=count_data_events,
            now=START,
            new_token=tokens,
            max_file_bytes=50_000_000,
            settle_seconds=120,
        )

    sums = metered(ledger)
    copies: Counter[str] = Counter()
    firsts = deliveries = 0
    for event in happened:
        destinations = [d.name for d in selection.destinations(event)]
        deliveries += bool(destinations)
        takers = [name for name in destinations if name != HISTORY]
        copies.update(takers)
        firsts += bool(takers) and event.category == "Management"
    assert {name: u.events for name, u in sums.items() if name != HISTORY} == dict(copies)
    assert {name: u.first + u.copies + u.data for name, u in sums.items() if name != HISTORY} == dict(copies)
    assert sum(usage.first for usage in sums.values()) == firsts
    assert sum(usage.arrived for usage in sums.values()) == deliveries


def test_data_events_are_among_them() -> None:
    selection = Selection(as_trails([("All", True, True, 0.0)]), history_bucket="past")

    assert len(selection.destinations(as_event(0, "Data", read_only=True))) == 1


@given(wanted=trails)
def test_the_oldest_trail_that_wants_an_event_has_the_first_copy(
    wanted: list[tuple[str, bool, bool, float]],
) -> None:
    made = as_trails(wanted)
    selection = Selection(made, history_bucket="past")

    names = [d.name for d in selection.destinations(as_event(0, "Management", read_only=False))]

    takers = [trail for trail in made if trail.arn in names]
    assert names[:-1] == [trail.arn for trail in sorted(takers, key=lambda trail: trail.created_at)]
    assert names[-1] == HISTORY
