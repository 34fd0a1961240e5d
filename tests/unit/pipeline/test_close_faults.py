"""Digests when things fail: lost buckets, abandoned files, rivals, a mute key, all in any order."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from opentrail.errors import ConflictError, StorageError
from opentrail.model.digest import Chain
from opentrail.model.event import Place
from opentrail.pipeline.digest import Signer
from tests.support.chains import SETTLE, Digests
from tests.support.fakes import FakeLedger
from tests.support.values import ABROAD, HOME, make_trail


def test_a_file_that_is_being_stored_when_its_window_ends_gets_a_backfill_digest() -> None:
    line = Digests()
    line.wait(minutes=39)
    line.abandon()
    line.wait(minutes=1)
    line.close()
    young = line.store_late()
    line.wait(hours=1)

    line.close()

    (late,) = line.late()
    assert line.listed() == [[], []]
    assert [file["s3Object"] for file in late["logFiles"]] == young
    assert (late["digestStartTime"], late["digestEndTime"]) == (
        "2026-01-10T04:00:00Z",
        "2026-01-10T05:00:00Z",
    )


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
    assert line.signer.signed == 4  # each of the two digests once, and its tree head


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
    """Keys that do not answer."""

    def signer_for(self, end: datetime) -> Signer:
        raise StorageError("get public key: KMSInternalException", "KMSInternalException")


def test_without_the_key_nothing_is_decided() -> None:
    line = Digests()
    line.wait(hours=1)

    closing = line.close(keyring=Mute())

    assert [trouble.code for trouble in closing.troubles] == ["KMSInternalException"]
    assert line.ledger.chains() == []


STEPS = st.lists(
    st.sampled_from(
        [
            "deliver",
            "abroad",
            "abandon",
            "slow",
            "close",
            "flush",
            "stop",
            "start",
            "off",
            "on",
            "move",
            "minutes",
        ]
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
        "slow": lambda: slow(line) if running(line) else None,
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


def slow(line: Digests) -> None:
    """A file that is stored only after another run has looked for it."""
    line.store.refused.clear()
    line.abandon()
    line.close(close_now=True)
    line.store_late()


def outage(line: Digests) -> None:
    """A run that can store nothing."""
    line.store.closed = {stored.bucket for stored in line.store.objects.values()} | {"audit-logs"}
    line.close()
    line.store.closed = set()


@settings(max_examples=150, deadline=None)
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
        listed += [file["s3Object"] for said in line.late(place) for file in said["logFiles"]]
        assert len(listed) == len(set(listed))
        assert {key for key in digested & stored if f"/{place.region}/" in key} <= set(listed)
        assert set(listed) <= stored
        assert_linked(line, place)
        assert_late_linked(line, place)


def assert_linked(line: Digests, place: Place) -> None:
    """Windows never overlap; every digest but a starting one begins where the one it names ended."""
    windows = [(said["digestStartTime"], said["digestEndTime"]) for said in line.documents(place)]
    assert all(older[1] <= newer[0] for older, newer in pairwise(windows))
    by_key = {
        stored.key: said for stored, said in zip(line.stored(place), line.documents(place), strict=True)
    }
    for said in by_key.values():
        if said["previousDigestS3Object"] is not None:
            assert by_key[said["previousDigestS3Object"]]["digestEndTime"] == said["digestStartTime"]
        assert said["digestStartTime"] < said["digestEndTime"]


def assert_late_linked(line: Digests, place: Place) -> None:
    """Backfill digests have a chain of their own, in the order of their ends, and say when they were made."""
    ends = [said["digestEndTime"] for said in line.late(place)]
    assert ends == sorted(set(ends))
    for older, newer in pairwise(line.late(place)):
        assert newer["previousDigestS3Object"] in (older["digestS3Object"], None)
    for stored, said in zip(line.backfill(place), line.late(place), strict=True):
        assert said["digestStartTime"] < said["digestEndTime"]
        assert set(stored.metadata) == {"signature", "signature-algorithm", "backfill-generation-timestamp"}
