"""Digests over a change of keys: old ones verify for ever, new ones with the new key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opentrail.adapters.aws.signing_keys import DynamoKeyRegistry, KmsKeyring, ListedKeys, signing_keys
from opentrail.errors import ConflictError, StorageError
from opentrail.format.digest_file import fingerprint_of
from opentrail.pipeline.digest import KeyWindow
from opentrail.pipeline.validate import PublicKey, StoredObject, check_digest
from tests.support.crash import Crash, Fuse
from tests.support.line import Line
from tests.support.records import envelope, make_record, to_bytes


@pytest.fixture
def line(clients: Callable[[str], Any]) -> Line:
    """Its clock begins a little after its first key was made."""
    made = Line(clients)
    made.now = datetime.now(UTC).replace(minute=20, second=0, microsecond=0) + timedelta(hours=1)
    return made


def an_hour(line: Line) -> None:
    """An hour with a record, and its digest."""
    line.record([envelope(to_bytes(make_record()))])
    line.deliver(line.queued_chunks())
    line.wait(hours=1)
    assert line.close().troubles == []


def keys_of(line: Line) -> ListedKeys:
    return ListedKeys(
        signing_keys(
            line.client("dynamodb"),
            line.client("kms"),
            table=f"{line.name}-ledger",
            first_key_id=line.key_id,
        )
    )


def listed(line: Line, since: timedelta = timedelta(0), until: timedelta = timedelta(0)) -> list[str]:
    """Fingerprints of the keys of a range around now."""
    found = keys_of(line).keys(line.now + since, line.now + until, line.now)
    return [fingerprint_of(key.der) for key in found]


def fingerprints(line: Line) -> list[str]:
    return [said["digestPublicKeyFingerprint"] for said in line.digests()]


def findings(line: Line) -> list[str]:
    """What a verifier says of each digest by itself, with the keys that are listed for all time."""
    known = {
        fingerprint_of(key.der): PublicKey(
            fingerprint_of(key.der), key.der, key.valid_from.timestamp(), key.valid_to.timestamp()
        )
        for key in keys_of(line).keys(line.now - timedelta(days=3650), line.now, line.now)
    }
    s3 = line.client("s3")
    said = []
    for key in (key for key in line.objects() if "/CloudTrail-Digest/" in key):
        found = s3.get_object(Bucket=line.bucket, Key=key)
        stored = StoredObject(
            bucket=line.bucket, key=key, body=found["Body"].read(), metadata=found["Metadata"]
        )
        said += [str(finding) for finding in check_digest(stored, known).findings]
    return said


def test_digests_change_keys_and_verify_also_when_the_old_key_is_deleted(line: Line) -> None:
    line.start_trail()
    an_hour(line)
    line.rotate()
    an_hour(line)

    line.client("kms").schedule_key_deletion(KeyId=line.key_id, PendingWindowInDays=7)
    try:
        an_hour(line)
        old, *new = fingerprints(line)
        assert old not in new
        assert len(new) == 2
        assert len(set(new)) == 1
        assert findings(line) == []
        assert listed(line) == [old, new[0]]
    finally:
        line.client("kms").cancel_key_deletion(KeyId=line.key_id)
        line.client("kms").enable_key(KeyId=line.key_id)


def test_windows_missed_before_a_rotation_are_signed_with_the_key_of_their_time(line: Line) -> None:
    line.start_trail()
    line.wait(days=3)
    line.rotate()
    line.wait(hours=2)

    line.close()

    found = fingerprints(line)
    assert found == sorted(found, key=found.index)
    assert [found.count(name) for name in dict.fromkeys(found)] == [72, 2]
    assert findings(line) == []


def test_every_key_whose_window_overlaps_is_listed(line: Line) -> None:
    day = timedelta(days=1)
    (first,) = listed(line)
    line.wait(days=30)
    line.rotate()
    line.wait(days=30)
    line.rotate()

    _, second, third = listed(line, -90 * day)

    assert listed(line) == [second, third]  # a day on either side of the rotation
    assert listed(line, 2 * day, 2 * day) == [third]
    assert listed(line, -10 * day, -2 * day) == [second]
    assert listed(line, -32 * day, -28 * day) == [first, second]
    assert fingerprint_of(keys_of(line).current(line.now).der) == third


def test_a_rotation_that_dies_at_any_call_is_finished_by_the_next(line: Line) -> None:
    for number in (1, 2):  # the run that registers the first key, and one that finds it registered
        for at in range(1, 20):
            fuse = Fuse(at, after=True)
            before = len(ready(line))
            try:
                line.rotate(fuse)
            except Crash:
                line.wait(minutes=16)
                line.rotate()
            assert len(ready(line)) > before
            assert all(key.ready for key in DynamoKeyRegistry(*register(line)).entries()), (number, at)
            if not fuse.blown:
                break


def register(line: Line) -> tuple[Any, str]:
    return line.client("dynamodb"), f"{line.name}-ledger"


def ready(line: Line) -> list[KeyWindow]:
    keys = signing_keys(
        line.client("dynamodb"), line.client("kms"), table=f"{line.name}-ledger", first_key_id=line.key_id
    )
    return keys.windows(line.now)


def test_two_rotations_at_once_leave_one_new_key(line: Line) -> None:
    """The second begins while KMS makes the first one's key."""
    outcomes: list[str] = []
    line.rotate()
    kms = line.client("kms")
    before = len(kms.list_keys(Limit=1000)["Keys"])

    class Meanwhile(Fuse):
        def run(self, call: Callable[[], Any], name: str) -> Any:
            if name == "create_key" and not self.blown:
                self.blown = True
                try:
                    line.rotate()
                except ConflictError as error:
                    outcomes.append(str(error))
            return call()

    line.rotate(Meanwhile())

    assert outcomes == ["another rotation is making key 3"]
    assert len(ready(line)) == 3
    assert len(kms.list_keys(Limit=1000)["Keys"]) == before + 1


def test_before_the_first_rotation_the_key_of_the_deployment_is_listed_and_signs(line: Line) -> None:
    line.start_trail()

    an_hour(line)

    assert fingerprints(line) == listed(line)
    assert DynamoKeyRegistry(*register(line)).entries() == []
    assert findings(line) == []


def test_a_key_ring_reads_the_register_once_a_run(line: Line) -> None:
    kms = line.client("kms")
    ring = KmsKeyring(kms, keys_of(line)._keys)
    first = ring.signer_for(line.now).public_key()

    line.rotate()

    assert ring.signer_for(line.now).public_key() == first


def test_without_a_register_nothing_is_signed(line: Line) -> None:
    lost = signing_keys(line.client("dynamodb"), line.client("kms"), table="gone", first_key_id=line.key_id)

    with pytest.raises(StorageError):
        KmsKeyring(line.client("kms"), lost).signer_for(line.now)
