"""A back-fill: which files it reads, and where it goes on after it was broken off."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.adapters.aws.ingest import Ingested
from opentrail.cli._backfill import MAX_REFUSED_IN_A_ROW, Backfill, Totals
from opentrail.cli._backfill_plan import Listed, Range, find_folders, list_files
from opentrail.cli._backfill_state import State, default_path, read_state, write_state
from opentrail.errors import FormatError, StorageError
from opentrail.format.keys import digest_key, log_key
from opentrail.model.event import Place
from tests.support.values import ABROAD, HOME, START

BUCKET = "central"


def key_of(number: int, *, place: Place = HOME, prefix: str = "", organization: str = "") -> str:
    """The ``number``th file of a place, five hours after the one before."""
    return log_key(
        prefix=prefix,
        organization=organization,
        place=place,
        folder="CloudTrail",
        delivered=START + timedelta(hours=5 * number),
        token=f"{number:016d}",
    )


class FakeBucket:
    """Objects of ten bytes each; ``listed`` keeps the prefixes that were asked for."""

    def __init__(self, *keys: str) -> None:
        self.keys = sorted(keys)
        self.listed: list[str] = []

    def folders(self, bucket: str, prefix: str) -> list[str]:
        self.listed.append(prefix)
        below = [key[len(prefix) :] for key in self.keys if key.startswith(prefix)]
        return sorted({prefix + rest.partition("/")[0] + "/" for rest in below if "/" in rest})

    def objects(self, bucket: str, prefix: str, *, after: str = "") -> Iterator[tuple[str, int]]:
        self.listed.append(prefix)
        yield from ((key, 10) for key in self.keys if key.startswith(prefix) and key > after)


@dataclass
class Line:
    """What ingests; ``faults`` says which keys fail and how."""

    taken: list[str] = field(default_factory=list)
    faults: dict[str, BaseException] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ingest(self, key: str) -> Ingested:
        with self.lock:
            if key in self.faults:
                raise self.faults[key]
            self.taken.append(key)
        return Ingested(events=2, known=1)


def backfill(
    bucket: FakeBucket,
    line: Line,
    state: State | None = None,
    *,
    when: Range | None = None,
    prefix: str = "",
    workers: int = 1,
    tell: Callable[[Listed], None] = lambda _: None,
) -> Backfill:
    return Backfill(
        files=bucket,
        bucket=BUCKET,
        prefix=prefix,
        when=when or Range(),
        state=state or State(source="s3://central/", arrived_at=0.0),
        ingest=line.ingest,
        workers=workers,
        save=lambda: None,
        tell=tell,
        wait=lambda: None,
    )


# What is read


def test_log_files_of_every_layout_are_read_and_other_folders_not_even_listed() -> None:
    wanted = [
        key_of(0),
        key_of(0, place=ABROAD),
        key_of(0, prefix="a/b"),
        key_of(0, organization="o-abcdefghij", place=Place("222222222222", "us-east-1")),
    ]
    others = [
        digest_key(prefix="", organization="", place=HOME, trail="t", home_region="us-east-1", end=START),
        f"AWSLogs/{HOME.account}/elasticloadbalancing/us-east-1/2026/01/10/x.log.gz",
        f"AWSLogs/{HOME.account}/CloudTrail-Insight/us-east-1/2026/01/10/x.json.gz",
        f"AWSLogs/{HOME.account}/CloudTrail/us-east-1/2026/01/10/notes.txt",
    ]
    bucket, line = FakeBucket(*wanted, *others), Line()

    totals = backfill(bucket, line).run()

    assert sorted(line.taken) == sorted(wanted)
    assert (totals.files, totals.events, totals.known, totals.bytes) == (4, 8, 4, 40)
    assert not [prefix for prefix in bucket.listed if "Digest" in prefix or "elastic" in prefix]


@pytest.mark.parametrize("depth", range(9))
def test_any_prefix_of_the_layout_may_be_given(depth: int) -> None:
    key = key_of(0, organization="o-abcdefghij")
    prefix = "".join(f"{part}/" for part in key.split("/")[:depth])
    bucket = FakeBucket(key, key_of(0))

    files = [
        file.key
        for folder in find_folders(bucket, BUCKET, prefix)
        for file in list_files(bucket, BUCKET, folder, Range())
    ]

    assert key in files
    assert (len(files) == 1) == (depth > 1)


@given(first=st.integers(0, 40), last=st.integers(0, 40))
def test_a_range_takes_what_was_delivered_within_it_and_reads_on_no_further(first: int, last: int) -> None:
    bucket, line = FakeBucket(*map(key_of, range(41))), Line()
    start, end = (START + timedelta(hours=5 * number) for number in (first, last))

    backfill(bucket, line, when=Range(start=start, end=end)).run()

    assert line.taken == [key_of(number) for number in range(first, last + 1)]


def test_a_range_begins_with_the_slot_it_falls_into() -> None:
    bucket, line = FakeBucket(key_of(0)), Line()

    backfill(bucket, line, when=Range(start=START + timedelta(minutes=4, seconds=59))).run()

    assert line.taken == [key_of(0)]


# What becomes of it


@given(
    broken_off=st.integers(1, 30), workers=st.integers(1, 4), places=st.sampled_from([[HOME], [HOME, ABROAD]])
)
def test_a_run_that_was_broken_off_goes_on_where_it_ended(
    broken_off: int, workers: int, places: list[Place]
) -> None:
    keys = [key_of(number, place=place) for number in range(20) for place in places]
    bucket, state, line = FakeBucket(*keys), State(source="", arrived_at=0.0), Line()
    told: list[str] = []

    def tell(file: Listed) -> None:
        told.append(file.key)
        if len(told) == broken_off:
            raise KeyboardInterrupt

    try:
        backfill(bucket, line, state, tell=tell, workers=workers).run()
    except KeyboardInterrupt:
        before = set(told)
        line.taken.clear()
        backfill(bucket, line, state, workers=workers).run()
        assert before.isdisjoint(line.taken)
        assert sorted([*before, *line.taken]) == sorted(keys)
    else:
        assert sorted(line.taken) == sorted(keys)


def test_a_complete_run_leaves_only_what_came_since() -> None:
    bucket, state, line = FakeBucket(key_of(0), key_of(1)), State(source="", arrived_at=0.0), Line()
    backfill(bucket, line, state).run()
    bucket.keys.append(key_of(2))
    line.taken.clear()

    backfill(bucket, line, state).run()

    assert line.taken == [key_of(2)]


def test_a_run_that_begins_earlier_than_the_one_before_begins_there() -> None:
    bucket, state, line = FakeBucket(*map(key_of, range(20))), State(source="", arrived_at=0.0), Line()
    backfill(bucket, line, state, when=Range(start=START + timedelta(hours=50))).run()
    line.taken.clear()

    backfill(bucket, line, state, when=Range(end=START + timedelta(hours=20))).run()

    assert line.taken == [key_of(number) for number in range(5)]


def test_a_bad_file_holds_up_no_other_and_is_tried_again() -> None:
    bucket, state, line = FakeBucket(*map(key_of, range(3))), State(source="", arrived_at=0.0), Line()
    line.faults[key_of(1)] = FormatError("not a log file")
    first = backfill(bucket, line, state).run()
    line.faults.clear()
    line.taken.clear()

    second = backfill(bucket, line, state).run()

    assert (first.failed, second.failed) == ({key_of(1): "not a log file"}, {})
    assert (line.taken, state.failed) == ([key_of(1)], {})


def test_what_is_left_is_what_a_run_reads() -> None:
    bucket, state, line = FakeBucket(*map(key_of, range(3))), State(source="", arrived_at=0.0), Line()
    line.faults[key_of(1)] = FormatError("not a log file")
    first = [file.key for file in backfill(bucket, line, state).left()]
    backfill(bucket, line, state).run()

    then = [file.key for file in backfill(bucket, line, state).left()]

    assert (first, then) == ([key_of(number) for number in range(3)], [key_of(1)])


def test_a_file_that_s3_refuses_holds_up_no_other() -> None:
    bucket, line = FakeBucket(*map(key_of, range(3))), Line()
    line.faults[key_of(0)] = StorageError("in Glacier", "InvalidObjectState")

    totals = backfill(bucket, line).run()

    assert (list(totals.failed), line.taken) == ([key_of(0)], [key_of(1), key_of(2)])


@pytest.mark.parametrize(
    ("code", "passed_over"), [("AccessDenied", MAX_REFUSED_IN_A_ROW), ("ThrottlingException", 0), ("", 0)]
)
def test_what_is_wrong_with_all_of_them_ends_the_run(code: str, passed_over: int) -> None:
    keys = [key_of(number) for number in range(60)]
    bucket, state, line = FakeBucket(*keys), State(source="", arrived_at=0.0), Line()
    line.faults = {key: StorageError("no", code) for key in keys}

    with pytest.raises(StorageError):
        backfill(bucket, line, state, workers=4).run()

    assert sorted(state.failed) == sorted(keys[:passed_over])
    assert line.taken == []


def test_what_was_under_way_when_it_ended_and_went_well_is_not_done_again() -> None:
    keys = [key_of(number) for number in range(10)]
    bucket, state, line = FakeBucket(*keys), State(source="", arrived_at=0.0), Line()
    line.faults[keys[5]] = StorageError("no answer")

    with pytest.raises(StorageError):
        backfill(bucket, line, state, workers=4).run()

    (progress,) = state.folders.values()
    assert progress.last == keys[4]


def test_few_bytes_are_under_way_at_a_time() -> None:
    gate, running, most = threading.Lock(), 0, 0

    class Large(FakeBucket):
        def objects(self, bucket: str, prefix: str, *, after: str = "") -> Iterator[tuple[str, int]]:
            yield from ((key, 20_000_000) for key, _ in super().objects(bucket, prefix, after=after))

    class Watched(Line):
        def ingest(self, key: str) -> Ingested:
            nonlocal running, most
            with gate:
                running += 1
                most = max(most, running)
            done = super().ingest(key)
            with gate:
                running -= 1
            return done

    backfill(Large(*map(key_of, range(20))), Watched(), workers=8).run()

    assert most == 1


# Where that is kept


def test_the_state_is_read_back_as_it_was(tmp_path: Path) -> None:
    bucket, state, line = (
        FakeBucket(*map(key_of, range(3))),
        State(source="s3://central/", arrived_at=7.0),
        Line(),
    )
    line.faults[key_of(1)] = FormatError("no")
    backfill(bucket, line, state).run()
    path = tmp_path / "deeper" / "state.json"

    write_state(path, state)

    assert read_state(path, "s3://central/", now=9.0) == state
    assert [file.name for file in path.parent.iterdir()] == ["state.json"]


def test_what_comes_after_a_complete_run_arrives_later(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_state(path, State(source="s3://central/", arrived_at=7.0, complete=True))

    assert read_state(path, "s3://central/", now=9.0) == State(source="s3://central/", arrived_at=9.0)


@pytest.mark.parametrize("content", ["", "{}", "[", '{"source":"s3://other/","arrived_at":1}'])
def test_a_file_that_is_something_else_is_not_taken_for_a_state(tmp_path: Path, content: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(content)

    with pytest.raises(FormatError, match=str(path)):
        read_state(path, "s3://central/", now=9.0)


def test_each_source_and_each_deployment_has_a_state_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")

    paths = {default_path(source, queue) for source in ("s3://a/", "s3://b/") for queue in ("q1", "q2")}

    assert len(paths) == 4
    assert {str(path.parent) for path in paths} == {"/state/opentrail"}


def test_totals_name_files_with_unreadable_records() -> None:
    totals = Totals()

    totals.add(Listed("k", 5), Ingested(events=1, unreadable=1, complaint="record 0: no"))

    assert (totals.files, totals.unreadable, totals.failed) == (1, 1, {"k": "record 0: no"})


def test_times_of_any_zone_are_one_range() -> None:
    zoned = datetime.fromisoformat("2026-01-10T06:20:00+02:00")

    assert (
        Range(start=zoned).begins("f/") == Range(start=zoned.astimezone(UTC)).begins("f/") == "f/2026/01/10"
    )
