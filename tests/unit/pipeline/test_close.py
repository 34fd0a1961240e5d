"""Chains of digests: begun, continued and ended, every file in exactly one of them."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opentrail.errors import ConflictError, StorageError
from opentrail.format import digest_file, log_file
from opentrail.format.keys import parse_digest_key
from opentrail.model.digest import Chain
from opentrail.model.event import Place
from opentrail.pipeline.digest import close
from tests.support.chains import SETTLE, Digests
from tests.support.fakes import FakeLedger
from tests.support.values import ABROAD, HOME, make_trail

ELSEWHERE = Place("123456789012", "ap-south-1")


def test_a_chain_at_home_begins_with_the_trail_though_nothing_was_delivered() -> None:
    line = Digests()
    line.wait(minutes=40)

    line.close()

    assert (line.windows(), line.listed()) == ([("04:20:00", "05:00:00")], [[]])


def test_a_chain_abroad_begins_with_its_first_file() -> None:
    line = Digests()
    line.wait(minutes=15)
    (key,) = line.deliver(place=ABROAD)
    line.wait(minutes=25)

    line.close()

    assert (line.windows(ABROAD), line.listed(ABROAD)) == ([("04:35:00", "05:00:00")], [[key]])
    assert line.stored(ELSEWHERE) == []


def test_quiet_hours_get_their_digests_too_and_catch_up_after_a_day() -> None:
    line = Digests()
    line.wait(days=1)

    closing = line.close()

    assert [closed.files for closed in closing.closed] == [0] * 24
    assert line.starting() == [True] + [False] * 23
    ends = [end for _, end in line.windows()]
    assert [start for start, _ in line.windows()] == ["04:20:00", *ends[:-1]]


def test_each_file_is_in_the_digest_of_the_window_it_was_begun_in() -> None:
    line = Digests()
    first = line.deliver(2)
    line.wait(minutes=40)  # exactly on the boundary: the next window's
    second = line.deliver()
    line.wait(hours=1)
    third = line.deliver()
    line.wait(hours=1)

    line.close()

    assert line.listed() == [first, second, third]


def test_a_digest_names_the_one_before_by_place_hash_and_signature() -> None:
    line = Digests()
    line.deliver()
    line.wait(hours=2)

    line.close()

    older, newer = line.stored()
    said = line.documents()[1]
    document = log_file.decompress(older.body or b"")
    assert said["previousDigestS3Bucket"] == older.bucket
    assert said["previousDigestS3Object"] == older.key
    assert said["previousDigestHashValue"] == hashlib.sha256(document).hexdigest()
    assert said["previousDigestHashAlgorithm"] == "SHA-256"
    assert said["previousDigestSignature"] == older.metadata["signature"]
    assert set(newer.metadata) == {"signature", "signature-algorithm"}


def test_a_digest_says_its_own_place_and_the_key_that_signed_it() -> None:
    line = Digests()
    line.wait(hours=1)

    line.close()

    (stored,), (said,) = line.stored(), line.documents()
    pkcs1 = digest_file.pkcs1_of(line.signer.public_key())
    assert (said["digestS3Bucket"], said["digestS3Object"]) == (stored.bucket, stored.key)
    assert said["digestPublicKeyFingerprint"] == hashlib.md5(pkcs1).hexdigest()
    assert parse_digest_key(stored.key).trail == "main"


def test_a_run_with_nothing_due_writes_nothing() -> None:
    line = Digests()
    line.wait(hours=1)
    line.close()

    assert line.close().closed == []
    assert line.signer.signed == 1


def test_closing_now_lists_what_was_delivered_this_very_moment() -> None:
    line = Digests()
    keys = line.deliver()

    line.close(close_now=True)
    line.close(close_now=True)

    assert line.listed() == [keys, []]
    assert line.windows() == [("04:20:00", "04:20:01"), ("04:20:01", "04:20:02")]


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


def test_a_chain_goes_on_in_a_new_bucket_and_leads_back_to_the_old_one() -> None:
    line = Digests()
    old = line.deliver()
    line.wait(minutes=40)
    line.close()
    before = line.deliver()
    line.change(bucket="new-bucket", prefix="p")
    after = line.deliver()
    line.wait(hours=1)

    line.close()

    first, second = line.stored()
    assert (first.bucket, second.bucket) == ("audit-logs", "new-bucket")
    assert second.key.startswith("p/AWSLogs/")
    assert line.documents()[1]["previousDigestS3Bucket"] == "audit-logs"
    assert line.listed() == [old, before + after]
    assert [file["s3Bucket"] for file in line.documents()[1]["logFiles"]] == ["audit-logs", "new-bucket"]


def test_files_that_do_not_fit_go_into_the_next_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(close, "MAX_FILES_PER_DIGEST", 3)
    line = Digests()
    keys = line.deliver(8)
    line.wait(hours=3)

    line.close()

    assert line.listed() == [keys[:3], keys[3:6], keys[6:]]


def test_files_that_do_not_fit_into_a_final_digest_get_further_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(close, "MAX_FILES_PER_DIGEST", 3)
    line = Digests()
    keys = line.deliver(5)
    line.stop()

    line.wait(hours=1)
    line.close()

    assert line.listed() == [keys[:3], keys[3:]]


def test_a_file_that_is_being_stored_waits_for_a_later_digest() -> None:
    line = Digests()
    line.wait(minutes=39)
    line.abandon()
    (young,) = line.ledger.rows.values()
    line.wait(minutes=1)
    line.close()
    line.store.put(
        young.file.bucket, young.file.key, stored_body(), kms_key_arn="", trail_arn="", metadata={}
    )
    line.wait(hours=1)

    line.close()

    assert line.listed() == [[], [young.file.key]]


def stored_body() -> bytes:
    """What ``Digests.deliver`` stores for its first record."""
    line = Digests()
    (key,) = line.deliver()
    return line.store.objects["audit-logs", key].body or b""


def test_an_abandoned_file_is_in_no_digest() -> None:
    line = Digests()
    line.abandon()
    line.wait(hours=1)

    line.close()

    assert line.listed() == [[]]


def test_a_file_in_a_bucket_that_is_gone_does_not_hold_up_the_chain() -> None:
    line = Digests()
    line.abandon()
    line.store.closed = {"audit-logs"}
    line.change(bucket="new-bucket")
    keys = line.deliver()
    line.wait(hours=1)

    closing = line.close()

    assert line.listed() == [keys]
    assert [trouble.code for trouble in closing.troubles] == ["NoSuchBucket"]


def test_a_digest_that_was_decided_but_not_stored_is_stored_by_the_next_run() -> None:
    line = Digests()
    keys = line.deliver()
    line.wait(hours=1)
    line.store.closed = {"audit-logs"}
    troubles = line.close().troubles
    line.store.closed = set()
    decided = line.chain().pending
    line.wait(minutes=40)  # 06:00

    line.close()

    assert [(trouble.place, trouble.code) for trouble in troubles] == [(HOME, "NoSuchBucket")]
    assert decided is not None
    assert line.listed() == [keys, []]
    assert line.stored()[0].metadata["signature"] == decided.signature
    assert line.signer.signed == 2


def test_trouble_with_one_chain_leaves_the_others_alone() -> None:
    line = Digests(make_trail(name="shut", bucket="closed"), make_trail(name="main"))
    line.store.closed = {"closed"}
    line.wait(hours=1)

    closing = line.close()

    assert [trouble.trail_arn.rpartition("/")[2] for trouble in closing.troubles] == ["shut"]
    assert line.windows() == [("04:20:00", "05:00:00")]


class Rival(FakeLedger):
    """Another run saves each chain just before ours does."""

    def save_chain(self, chain: Chain) -> Chain:
        raise ConflictError(f"{chain.id} was saved by another run")


def test_of_two_runs_at_one_chain_the_later_one_leaves_it() -> None:
    line = Digests(ledger=Rival())
    line.wait(hours=1)

    closing = line.close()

    assert (closing.contended, closing.closed, closing.troubles) == (1, [], [])
    assert line.stored() == []


class Mute:
    """A key that does not answer."""

    def public_key(self) -> bytes:
        raise StorageError("get public key: KMSInternalException", "KMSInternalException")

    def sign(self, message: bytes) -> bytes:
        raise AssertionError("never asked")


def test_without_the_key_nothing_is_decided() -> None:
    line = Digests()
    line.wait(hours=1)

    closing = line.close(signer=Mute())  # type: ignore[arg-type]

    assert [trouble.code for trouble in closing.troubles] == ["KMSInternalException"]
    assert line.ledger.chains() == []


STEPS = st.lists(
    st.sampled_from(
        ["deliver", "abroad", "abandon", "close", "flush", "stop", "start", "off", "on", "move", "minutes"]
        + ["hours", "hours", "outage"]
    ),
    max_size=25,
)


def take(line: Digests, step: str, number: int) -> None:
    moment = line.now.timestamp()
    actions: dict[str, Any] = {
        "deliver": lambda: line.deliver() if running(line) else None,
        "abroad": lambda: line.deliver(place=ABROAD) if running(line) else None,
        "abandon": lambda: line.abandon() if running(line) else None,
        "close": line.close,
        "flush": lambda: line.close(close_now=True),
        "stop": line.stop,
        "start": lambda: None if running(line) else line.start(),
        "off": lambda: line.change(log_file_validation=False),
        "on": lambda: line.change(log_file_validation=True, validation_since=moment),
        "move": lambda: line.change(bucket=f"bucket-{number}"),
        "minutes": lambda: line.wait(minutes=7, seconds=1),
        "hours": lambda: line.wait(minutes=95),
        "outage": lambda: outage(line),
    }
    actions[step]()


def running(line: Digests) -> bool:
    return next(iter(line.trails.values())).logging


def outage(line: Digests) -> None:
    """A run that can store nothing."""
    line.store.closed = {stored.bucket for stored in line.store.objects.values()} | {"audit-logs"}
    line.close()
    line.store.closed = set()


@settings(max_examples=150)
@given(steps=STEPS)
def test_whatever_happens_every_digested_file_is_in_one_digest_and_chains_hold(steps: list[str]) -> None:
    line = Digests()
    for number, step in enumerate(steps):
        line.wait(seconds=1)
        take(line, step, number)
    digested = {row.file.key for row in line.ledger.rows.values() if row.id.startswith("open#")}
    line.wait(seconds=SETTLE)
    for _ in range(3):
        line.wait(hours=2)
        line.close()

    stored = {key for _, key in line.store.objects}
    for place in (HOME, ABROAD):
        listed = [key for keys in line.listed(place) for key in keys]
        assert len(listed) == len(set(listed))
        assert {key for key in digested & stored if f"/{place.region}/" in key} <= set(listed)
        assert set(listed) <= stored
        assert_linked(line, place)


def assert_linked(line: Digests, place: Place) -> None:
    """Every digest but a starting one begins where the one it names ended."""
    by_key = {
        stored.key: said for stored, said in zip(line.stored(place), line.documents(place), strict=True)
    }
    for said in by_key.values():
        if said["previousDigestS3Object"] is not None:
            assert by_key[said["previousDigestS3Object"]]["digestEndTime"] == said["digestStartTime"]
        assert said["digestStartTime"] < said["digestEndTime"]
