"""Late files: backfill digests beside the chain, and runs that end before their work does."""

from __future__ import annotations

from itertools import count

import pytest

from opentrail.format.keys import parse_digest_key
from opentrail.pipeline.digest import close
from tests.support.chains import Digests
from tests.support.values import make_trail


def late_file(line: Digests) -> str:
    """A file that is begun now, and stored only after a run in a minute has looked for it."""
    line.abandon()
    line.wait(minutes=1)
    line.close(close_now=True)
    (key,) = line.store_late()
    return key


def files(said: dict[str, object]) -> list[str]:
    listed = said["logFiles"]
    assert isinstance(listed, list)
    return [file["s3Object"] for file in listed]


@pytest.fixture
def line() -> Digests:
    """Five past five, with a digest for each window so far."""
    made = Digests()
    made.deliver()
    made.wait(minutes=45)
    made.close()
    return made


def test_the_name_window_and_time_of_a_backfill_digest(line: Digests) -> None:
    late = late_file(line)
    line.wait(hours=1)
    line.close()

    (stored,) = line.backfill()
    (said,) = line.late()
    assert files(said) == [late]
    assert parse_digest_key(stored.key).backfill
    assert stored.key == line.stored()[2].key.replace(".json.gz", "_backfill.json.gz")
    assert said["previousDigestS3Object"] is None
    assert stored.metadata["backfill-generation-timestamp"] == "2026-01-10T06:06:00.000Z"


def test_backfill_digests_are_linked_with_each_other_and_not_with_the_others(line: Digests) -> None:
    for _ in range(2):
        late_file(line)
        line.wait(hours=1)
        line.close()

    older, newer = line.late()
    assert newer["previousDigestS3Object"] == older["digestS3Object"]
    assert newer["previousDigestSignature"] == line.backfill()[0].metadata["signature"]
    names = {said["previousDigestS3Object"] for said in line.documents()}
    assert not any("backfill" in (name or "") for name in names)


def test_late_files_of_one_hour_that_are_found_in_turn_get_a_digest_each(line: Digests) -> None:
    first = late_file(line)
    second = late_file(line)
    line.wait(minutes=3)
    line.close(close_now=True)
    third = late_file(line)
    line.wait(hours=1)
    line.close()

    assert [files(said) for said in line.late()] == [[first], [second], [third]]


def test_a_late_file_after_the_final_digest_is_backfilled_too(line: Digests) -> None:
    late = late_file(line)
    line.stop()
    line.wait(minutes=1)
    line.close(close_now=True)
    ended = line.chain().ended
    line.wait(hours=2)

    line.close()

    assert ended
    assert [files(said) for said in line.late()] == [[late]]


def test_files_that_did_not_fit_are_not_late(line: Digests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(close, "MAX_FILES_PER_DIGEST", 3)
    for _ in range(8):
        line.deliver()
        line.wait(seconds=1)
    line.wait(hours=3)

    line.close()

    assert [len(keys) for keys in line.listed()] == [1, 3, 3, 2]
    assert line.late() == []


def test_windows_closed_within_one_second_leave_nothing_late() -> None:
    line = Digests()
    for _ in range(4):
        line.deliver()
        line.close(close_now=True)
        line.wait(seconds=0.01)

    assert [len(keys) for keys in line.listed()] == [1, 1, 1, 1]
    assert line.late() == []


def test_a_run_without_time_leaves_the_rest_in_order_to_the_next() -> None:
    """A day is missed, and a run manages five windows."""
    line = Digests(make_trail(name="a"), make_trail(name="b"))
    line.wait(days=1)
    runs = 0
    while True:
        budget = iter([True] * 7 + [False] * 100)
        closing = line.close(has_time=lambda: next(budget))  # noqa: B023
        runs += 1
        if not closing.unfinished:
            break
        assert closing.troubles == []

    whole = Digests(make_trail(name="a"), make_trail(name="b"))
    whole.wait(days=1)
    whole.close()
    assert runs > 8
    assert line.store.objects == whole.store.objects


def test_the_chain_that_is_furthest_behind_comes_first() -> None:
    line = Digests(make_trail(name="a"), make_trail(name="b"))
    line.wait(minutes=40)
    calls = count()
    line.close(has_time=lambda: next(calls) < 2)
    (first,) = line.stored()
    line.wait(hours=1)

    calls = count()
    line.close(has_time=lambda: next(calls) < 2)

    assert parse_digest_key(first.key).trail == "a"
    assert [parse_digest_key(stored.key).trail for stored in line.stored()] == ["a", "b"]
