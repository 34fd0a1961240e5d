"""Chains of digests: every window has one, every file is in exactly one of them."""

from __future__ import annotations

import hashlib

import pytest

from opentrail.format import digest_file, log_file
from opentrail.format.keys import parse_digest_key
from opentrail.model.event import Place
from opentrail.pipeline.digest import close
from tests.support.chains import Digests
from tests.support.values import ABROAD

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
    assert line.signer.signed == 2  # a digest and its tree head


def test_closing_now_lists_what_was_delivered_this_very_moment() -> None:
    line = Digests()
    keys = line.deliver()

    line.close(close_now=True)
    line.close(close_now=True)

    assert line.listed() == [keys, []]
    assert line.windows() == [("04:20:00", "04:20:01"), ("04:20:01", "04:20:02")]


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
