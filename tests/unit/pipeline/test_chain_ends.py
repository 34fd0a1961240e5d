"""How chains end and begin anew: stops, restarts, deletions, validation off and on."""

from __future__ import annotations

import pytest

from opentrail.pipeline.digest import close
from tests.support.chains import SETTLE, Digests
from tests.support.values import make_trail


def test_a_stopped_trail_gets_its_final_digest_once_late_events_had_their_time() -> None:
    line = Digests()
    line.wait(minutes=30)  # 04:50
    line.stop()
    line.wait(minutes=12)  # 05:02
    late = line.deliver()
    line.close()
    between = line.windows()
    line.wait(hours=3)

    line.close()

    assert between == [("04:20:00", "05:00:00")]
    assert line.windows() == [("04:20:00", "05:00:00"), ("05:00:00", "06:00:00")]
    assert line.listed() == [[], late]
    assert line.chain().ended


def stop(line: Digests) -> list[str]:
    """The call that stops a trail is the last in its files."""
    keys = line.deliver()
    line.stop()
    return keys


def test_a_final_digest_at_once_still_lists_every_file() -> None:
    line = Digests()
    stop(line)
    line.wait(hours=1)
    late = line.deliver()

    line.close(close_now=True)

    assert [key for keys in line.listed() for key in keys][-1:] == late
    assert line.chain().ended


def test_after_its_final_digest_a_chain_is_quiet() -> None:
    line = Digests()
    stop(line)
    line.wait(hours=2)
    line.close()
    line.wait(days=2)

    assert line.close().closed == []


def test_a_file_that_comes_after_the_final_digest_gets_one_more() -> None:
    line = Digests()
    last = stop(line)
    line.wait(hours=1)
    line.close()
    late = line.deliver()
    line.wait(minutes=10)

    line.close()
    line.wait(hours=5)
    line.close()

    assert line.windows() == [("04:20:00", "05:00:00"), ("05:00:00", "05:30:00")]
    assert (line.listed(), line.starting()) == ([last, late], [True, False])


def test_a_file_abandoned_after_the_final_digest_brings_no_digest() -> None:
    line = Digests()
    stop(line)
    line.wait(hours=1)
    line.close()
    line.abandon()

    young = line.close().closed
    line.wait(seconds=SETTLE)
    abandoned = line.close().closed

    assert (young, abandoned) == ([], [])


def test_a_restarted_trail_begins_a_new_chain() -> None:
    line = Digests()
    last = stop(line)
    line.wait(hours=1)
    line.close()
    line.wait(hours=2)  # 07:20
    line.start()
    keys = line.deliver()
    line.wait(hours=1)

    line.close()

    assert line.windows() == [("04:20:00", "05:00:00"), ("07:20:00", "08:00:00")]
    assert (line.starting(), line.listed()) == ([True, True], [last, keys])


def test_a_chain_begun_anew_within_a_second_of_the_last_ones_end_does_not_reach_back_into_it() -> None:
    line = Digests()
    line.close(close_now=True)  # a window lasts a second at least, so this one ends a second ahead
    line.stop()
    line.close(close_now=True)
    line.start()

    line.close(close_now=True)

    assert line.windows() == [("04:20:00", "04:20:01"), ("04:20:01", "04:20:02"), ("04:20:02", "04:20:03")]
    assert line.starting() == [True, False, True]


def test_a_trail_stopped_and_started_between_two_runs_has_two_chains() -> None:
    line = Digests()
    line.wait(minutes=40)
    line.close()  # 05:00
    before = line.deliver()
    line.wait(minutes=10)
    line.stop()
    line.wait(minutes=10)
    line.start()  # 05:20
    after = line.deliver()
    line.wait(hours=1)

    line.close()

    assert line.windows() == [("04:20:00", "05:00:00"), ("05:00:00", "05:20:00"), ("05:20:00", "06:00:00")]
    assert (line.starting(), line.listed()) == ([True, False, True], [[], before, after])


def test_a_deleted_trail_gets_its_final_digest() -> None:
    line = Digests()
    keys = line.deliver()
    line.wait(minutes=5)
    line.trails.clear()
    line.wait(hours=1)

    line.close()
    line.wait(hours=9)
    line.close()

    assert (line.windows(), line.listed()) == ([("04:20:00", "05:00:00")], [keys])


def test_a_trail_made_anew_under_an_old_name_begins_a_new_chain() -> None:
    line = Digests()
    trail = line.change()
    line.deliver()
    line.wait(hours=1)
    line.trails.clear()
    line.close()
    line.wait(hours=1)
    line.trails[trail.arn] = make_trail(bucket="another", started_at=line.now.timestamp())
    line.wait(hours=1)

    line.close()

    assert [stored.bucket for stored in line.stored()] == ["audit-logs", "another"]
    assert line.starting() == [True, True]


def test_without_validation_there_is_no_chain() -> None:
    line = Digests(make_trail(log_file_validation=False, validation_since=0.0))
    line.deliver()
    line.wait(days=1)

    assert line.close().closed == []
    assert line.ledger.chains() == []


def test_switching_validation_off_ends_the_chain_and_on_begins_a_new_one() -> None:
    line = Digests()
    before = line.deliver()
    line.change(log_file_validation=False)
    unlisted = line.deliver()
    line.wait(hours=3)
    line.close()
    line.change(log_file_validation=True, validation_since=line.now.timestamp())  # 07:20
    listed = line.deliver()
    line.wait(hours=1)

    line.close()

    assert line.windows() == [("04:20:00", "05:00:00"), ("07:20:00", "08:00:00")]
    assert line.starting() == [True, True]
    assert line.listed() == [before, listed]
    assert unlisted[0] in [key for _, key in line.store.objects]


def test_files_that_do_not_fit_into_a_final_digest_get_further_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(close, "MAX_FILES_PER_DIGEST", 3)
    line = Digests()
    keys = line.deliver(5)
    line.stop()

    line.wait(hours=1)
    line.close()

    assert line.listed() == [keys[:3], keys[3:]]
