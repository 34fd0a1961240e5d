"""Chunks -> log files: each chunk in one file of each destination, the ledger first."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from opentrail.branches.history import count_data_events
from opentrail.errors import StorageError
from opentrail.format import log_file
from opentrail.model.event import Place
from opentrail.model.log_file import HISTORY, Chunk, Destination, FileState
from opentrail.pipeline.deliver import Delivery, deliver_chunks
from opentrail.pipeline.deliver.deliver import MAX_CHUNKS_PER_FILE, claim_of
from tests.support.fakes import FakeLedger, FakeStore, describe, make_tokens
from tests.support.records import ACCOUNT
from tests.support.values import ABROAD, HOME, START, make_chunk, make_destination

SETTLE = 120
PAST = Destination(name=HISTORY, bucket="past", prefix="history")


class World:
    """A ledger, a store and a clock; ``run`` delivers one batch."""

    def __init__(self, ledger: FakeLedger | None = None, store: FakeStore | None = None) -> None:
        self.ledger = ledger or FakeLedger()
        self.store = store or FakeStore()
        self.now = START
        self.tokens = make_tokens()

    def run(self, *chunks: Chunk, max_file_bytes: int = 50_000_000) -> Delivery:
        return deliver_chunks(
            chunks,
            ledger=self.ledger,
            store=self.store,
            describe=describe,
            count=count_data_events,
            now=self.now,
            new_token=self.tokens,
            max_file_bytes=max_file_bytes,
            settle_seconds=SETTLE,
        )

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def files(self, bucket: str = "audit-logs") -> list[list[bytes]]:
        """The records of every stored file, in the order of storing."""
        bodies = [found.body for (where, _), found in self.store.objects.items() if where == bucket]
        return [log_file.split_records(log_file.decompress(body or b"")) for body in bodies]

    def states(self) -> list[FileState]:
        return [row.state for row in self.ledger.rows.values()]


def lines(*chunks: Chunk) -> list[bytes]:
    return [line for chunk in chunks for line in chunk.lines.split(b"\n")]


def test_chunks_of_a_destination_and_place_share_a_file_in_their_order() -> None:
    world = World()
    one, two = make_chunk("a", "b"), make_chunk("c")

    delivery = world.run(two, one)

    assert world.files() == [lines(two, one)]
    assert [stored.file.count for stored in delivery.stored] == [3]
    assert (delivery.failed, delivery.repeats) == ([], [])


def test_a_file_is_of_one_destination_place_and_folder() -> None:
    world = World()
    chunks = [
        make_chunk("a"),
        make_chunk("b", place=ABROAD),
        make_chunk("c", folder="CloudTrail-Insight"),
        make_chunk("d", destinations=(make_destination("other", prefix="p"),)),
    ]

    delivery = world.run(*chunks)

    assert world.files() == [lines(chunk) for chunk in chunks]
    assert [stored.file.key for stored in delivery.stored] == [
        f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/01/10/{ACCOUNT}_CloudTrail_us-east-1_20260110T0420Z_{0:016d}.json.gz",
        f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/01/10/{ACCOUNT}_CloudTrail_eu-west-1_20260110T0420Z_{1:016d}.json.gz",
        f"AWSLogs/{ACCOUNT}/CloudTrail-Insight/us-east-1/2026/01/10/{ACCOUNT}_CloudTrail-Insight_us-east-1_20260110T0420Z_{2:016d}.json.gz",
        f"p/AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/01/10/{ACCOUNT}_CloudTrail_us-east-1_20260110T0420Z_{3:016d}.json.gz",
    ]


def test_a_chunk_goes_to_each_of_its_destinations() -> None:
    world = World()
    chunk = make_chunk("a", destinations=(make_destination(), PAST))

    world.run(chunk)

    assert world.files("audit-logs") == world.files("past") == [lines(chunk)]


def test_only_history_gets_a_segment() -> None:
    world = World()

    world.run(make_chunk("a", destinations=(make_destination(), PAST)))

    assert [segment.bucket for segment in world.ledger.segments] == ["past"]


def test_the_ledger_knows_what_a_digest_will_say_of_a_file() -> None:
    world = World()
    times = ("2026-01-10T04:19:00Z", "2026-01-10T04:21:00Z")

    world.run(make_chunk("a", time=times[1]), make_chunk("b", time=times[0]))

    (row,) = world.ledger.rows.values()
    body = world.store.objects["audit-logs", row.file.key].body
    assert row.state is FileState.DELIVERED
    assert (row.file.oldest, row.file.newest, row.file.count) == (*times, 2)
    assert row.file.created_at == START.timestamp()
    assert log_file.holds(body, row.file.sha256)


def test_a_file_is_encrypted_as_its_trail_says_and_history_as_its_bucket_does() -> None:
    world = World()
    trail = make_destination(kms_key_arn="key")

    world.run(make_chunk("a", destinations=(trail, PAST)))

    assert [(put["kms_key_arn"], put["trail_arn"]) for put in world.store.puts] == [
        ("key", trail.name),
        ("", ""),
    ]


@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=12),
    limit=st.integers(500, 4000),
)
def test_a_file_never_grows_past_its_limit_and_closes_no_earlier(sizes: list[int], limit: int) -> None:
    world = World()
    numbers = iter(range(100))
    chunks = [make_chunk(*[f"{next(numbers):03d}" for _ in range(size)]) for size in sizes]

    world.run(*chunks, max_file_bytes=limit)

    files = [b'{"Records":[' + b",".join(records) + b"]}" for records in world.files()]
    assert [line for records in world.files() for line in records] == lines(*chunks)
    for document, following in zip(files, world.files()[1:], strict=False):
        first = next(chunk for chunk in chunks if following[0] in chunk.lines.split(b"\n"))
        assert len(document) + 1 + len(first.lines) > limit
    assert all(len(file) <= limit or is_one_chunk(file, chunks) for file in files)


def test_a_file_fills_to_the_last_byte() -> None:
    chunks = [make_chunk(name) for name in "abc"]
    exact = len(b'{"Records":[' + b",".join(lines(*chunks)) + b"]}")

    counts = []
    for limit in (exact, exact - 1):
        delivery = World().run(*chunks, max_file_bytes=limit)
        counts.append([stored.file.count for stored in delivery.stored])

    assert counts == [[3], [2, 1]]


def is_one_chunk(document: bytes, chunks: list[Chunk]) -> bool:
    return document in [b'{"Records":[' + chunk.lines.replace(b"\n", b",") + b"]}" for chunk in chunks]


def test_a_file_takes_no_more_chunks_than_one_transaction_can_claim() -> None:
    world = World()

    delivery = world.run(*[make_chunk(f"{i}") for i in range(MAX_CHUNKS_PER_FILE + 1)])

    assert MAX_CHUNKS_PER_FILE == 97
    assert [stored.file.count for stored in delivery.stored] == [97, 1]


def test_a_chunk_that_comes_again_is_a_repeat() -> None:
    world = World()
    chunk = make_chunk("a", destinations=(make_destination(), PAST))
    world.run(chunk)

    again = world.run(chunk)

    assert (again.stored, again.failed) == ([], [])
    assert again.repeats == [claim_of(chunk, destination) for destination in chunk.destinations]
    assert [len(world.files(bucket)) for bucket in ("audit-logs", "past")] == [1, 1]


def test_a_chunk_that_is_twice_in_a_batch_is_stored_once() -> None:
    world = World()
    chunk = make_chunk("a")

    world.run(chunk, chunk)

    assert world.files() == [lines(chunk)]


def test_a_repeat_beside_new_chunks_leaves_them_their_file() -> None:
    world = World()
    old, new = make_chunk("a"), make_chunk("b")
    world.run(old)

    again = world.run(old, new)

    assert world.files() == [lines(old), lines(new)]
    assert again.repeats == [claim_of(old, make_destination())]


def test_a_chunk_whose_file_is_digested_already_is_still_a_repeat() -> None:
    world = World()
    chunk = make_chunk("a")
    world.run(chunk)
    world.ledger.close_files(list(world.ledger.rows))

    again = world.run(chunk)

    assert again.repeats == [claim_of(chunk, make_destination())]


def test_one_destination_that_refuses_does_not_stop_the_others() -> None:
    world = World()
    world.store.closed = {"closed"}
    shut = make_destination("shut", bucket="closed")
    chunk = make_chunk("a", destinations=(shut, make_destination(), PAST))

    delivery = world.run(chunk)

    assert [stored.destination.name for stored in delivery.stored] == [make_destination().name, HISTORY]
    assert [(f.chunk, f.destination, f.code) for f in delivery.failed] == [(chunk, shut, "NoSuchBucket")]


def test_after_a_refusal_only_the_destination_that_refused_is_tried_again() -> None:
    world = World()
    world.store.closed = {"closed"}
    shut = make_destination("shut", bucket="closed")
    chunk = make_chunk("a", destinations=(shut, make_destination()))
    world.run(chunk)
    world.store.closed = set()
    world.wait(SETTLE)

    again = world.run(chunk)

    assert [stored.destination for stored in again.stored] == [shut]
    assert again.repeats == [claim_of(chunk, make_destination())]
    assert world.files("closed") == world.files("audit-logs") == [lines(chunk)]


def test_a_repeat_beside_a_chunk_that_fails_does_not_come_again() -> None:
    world = World()
    old, new = make_chunk("a"), make_chunk("b")
    world.run(old)
    world.store.closed = {"audit-logs"}

    delivery = world.run(old, new)

    assert [failed.chunk for failed in delivery.failed] == [new]
    assert delivery.repeats == [claim_of(old, make_destination())]


def test_a_chunk_that_waits_for_another_run_fails_once_beside_one_that_fails_itself() -> None:
    world = World(store=Forgetful())
    begun, new = make_chunk("a"), make_chunk("b")
    world.run(begun)
    world.store.closed = {"audit-logs"}

    delivery = world.run(begun, new)

    assert [failed.chunk for failed in delivery.failed] == [begun, new]


class Forgetful(FakeStore):
    """Stores the first object and then says that it did not."""

    told = False

    def put(self, *args: Any, **kwargs: Any) -> None:
        super().put(*args, **kwargs)
        if not self.told:
            self.told = True
            raise StorageError("no answer")


def test_a_file_that_was_stored_although_nobody_heard_is_found_and_not_stored_again() -> None:
    world = World(store=Forgetful())
    chunk = make_chunk("a")
    world.run(chunk)
    world.wait(SETTLE)

    again = world.run(chunk)

    assert again.repeats == [claim_of(chunk, make_destination())]
    assert (world.files(), world.states()) == ([lines(chunk)], [FileState.DELIVERED])


def test_a_chunk_of_an_unfinished_file_waits_until_no_run_can_be_at_it() -> None:
    world = World(store=Forgetful())
    chunk = make_chunk("a")
    world.run(chunk)
    world.wait(SETTLE - 0.001)

    again = world.run(chunk)

    assert [failed.reason for failed in again.failed] == [
        f"chunk {chunk.id} is being delivered by another run"
    ]
    assert world.states() == [FileState.PENDING]


def abandon(world: World, *chunks: Chunk) -> None:
    """Begin a file whose object never comes, and let the run's time pass."""
    world.store.closed = {"audit-logs"}
    world.run(*chunks)
    world.store.closed = set()
    world.wait(SETTLE)


def test_an_abandoned_file_is_dropped_and_its_chunks_are_stored_anew() -> None:
    world = World()
    one, two = make_chunk("a"), make_chunk("b")
    abandon(world, one, two)

    world.run(one, make_chunk("c"))

    assert world.files() == [lines(one, make_chunk("c"))]
    assert world.states() == [FileState.DROPPED, FileState.DELIVERED]
    assert [row.file.count for row in world.ledger.rows.values()] == [2, 2]


def test_chunks_of_a_dropped_file_are_taken_over_one_by_one() -> None:
    world = World()
    one, two = make_chunk("a"), make_chunk("b")
    abandon(world, one, two)

    world.run(one)
    world.run(two)
    repeats = world.run(one, two).repeats

    assert world.files() == [lines(one), lines(two)]
    assert repeats == [claim_of(chunk, make_destination()) for chunk in (one, two)]


def test_a_file_of_another_hash_under_that_name_does_not_count_as_stored() -> None:
    world = World()
    chunk = make_chunk("a")
    abandon(world, chunk)
    (row,) = world.ledger.rows.values()
    world.store.put(
        "audit-logs", row.file.key, log_file.compress(b"{}"), kms_key_arn="", trail_arn="", metadata={}
    )

    world.run(chunk)

    assert world.states() == [FileState.DROPPED, FileState.DELIVERED]


class DeafLedger(FakeLedger):
    """Does not answer when a file is to be entered."""

    def intend(self, intent: Any) -> None:
        raise StorageError("no answer", "InternalServerError")


def test_nothing_is_stored_that_the_ledger_did_not_take() -> None:
    world = World(ledger=DeafLedger())
    chunk = make_chunk("a")

    delivery = world.run(chunk)

    assert world.store.objects == {}
    assert [(f.chunk, f.code) for f in delivery.failed] == [(chunk, "InternalServerError")]


def test_files_that_digests_will_list_are_found_by_their_chain_all_others_by_their_day() -> None:
    world = World()
    world.now = datetime(2026, 1, 10, 4, 20, 0, 123_999, tzinfo=UTC)
    proven, other = make_destination("proven"), make_destination("other", digested_since=0.0)

    world.run(make_chunk("a", destinations=(proven, other)))

    chain, moment = f"#{HOME.account}#{HOME.region}", "2026-01-10T04:20:00.123Z"
    assert list(world.ledger.rows) == [
        f"open#{proven.name}{chain}|{moment}#{0:016d}",
        f"file#2026-01-10|{moment}#{1:016d}#{other.name}{chain}",
    ]


deliveries = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from([HOME, ABROAD]), st.booleans()),
    min_size=1,
    max_size=10,
)


@given(batches=st.lists(deliveries, min_size=1, max_size=4), faults=st.sets(st.integers(0, 12)))
def test_whatever_fails_and_comes_again_each_chunk_ends_in_one_file_of_each_destination(
    batches: list[list[tuple[str, Place, bool]]], faults: set[int]
) -> None:
    world = World(store=Flaky(faults))
    chunks = {(name, place): chunk_for(name, place) for batch in batches for name, place, _ in batch}

    for batch in batches:
        world.run(*[chunks[name, place] for name, place, _ in batch])
        world.wait(SETTLE)
    while world.run(*chunks.values()).failed:
        world.wait(SETTLE)

    wanted = Counter(line for chunk in chunks.values() for line in lines(chunk))
    for bucket in ("audit-logs", "past"):
        assert Counter(line for file in world.files(bucket) for line in file) == wanted


def chunk_for(name: str, place: Place) -> Chunk:
    return make_chunk(f"{name}-{place.region}", place=place, destinations=(make_destination(), PAST))


class Flaky(FakeStore):
    """Refuses the puts of these numbers, every other one after having stored the object."""

    def __init__(self, faults: set[int]) -> None:
        super().__init__()
        self._faults = faults
        self._number = -1

    def put(self, *args: Any, **kwargs: Any) -> None:
        self._number += 1
        if self._number not in self._faults or self._number % 2:
            super().put(*args, **kwargs)
        if self._number in self._faults:
            raise StorageError("no answer")
