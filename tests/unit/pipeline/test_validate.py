"""Digests and log files -> findings: none on what nobody touched, one by name for each thing done to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA512
from hypothesis import given, settings
from hypothesis import strategies as st

from opentrail.format import digest_file, log_file
from opentrail.format.digest_file import Digest
from opentrail.model.report import Finding, Kind, Problem
from opentrail.pipeline.validate import (
    CheckedDigest,
    PublicKey,
    StoredObject,
    check_chain,
    check_digest,
    check_listing,
    check_log,
)
from tests.support.chains import Digests
from tests.support.fakes import FakeSigner
from tests.support.values import START

STOLEN = FakeSigner(1)  # a key pair nobody published


@dataclass
class Bucket:
    """A chain as it lies in the bucket, and what a verifier says of it."""

    digests: list[StoredObject]
    logs: dict[str, bytes | None]
    keys: dict[str, PublicKey]

    def checked(self) -> list[CheckedDigest]:
        return [check_digest(stored, self.keys) for stored in self.digests]

    def problems(self) -> list[tuple[Kind, Problem]]:
        checked = self.checked()
        digests = [c.digest for c in checked if c.digest is not None]
        listed = [file for digest in digests for file in digest.files]
        verdicts = (check_log(file, self.logs.get(file.key)) for file in listed)
        found = [("audit-logs", key) for key, body in self.logs.items() if body is not None]
        findings: list[Finding] = [finding for c in checked for finding in c.findings]
        findings += check_chain(checked)
        findings += [finding for finding in verdicts if finding is not None]
        findings += check_listing(digests, [], found)
        return [(finding.kind, finding.problem) for finding in findings]

    def rewrite(self, number: int, *, resign: FakeSigner | None = None, **members: Any) -> None:
        """Change members of a digest; with ``resign`` by somebody who holds that key."""
        stored = self.digests[number]
        digest = digest_file.parse_digest(log_file.decompress(stored.body or b""))
        changed = msgspec.structs.replace(digest, **members)
        self.digests[number] = seal(stored, changed, resign)


def seal(stored: StoredObject, digest: Digest, signer: FakeSigner | None) -> StoredObject:
    document = digest_file.encode_digest(digest)
    metadata = dict(stored.metadata)
    if signer is not None:
        metadata["signature"] = signer.sign(text_of(stored, digest)).hex()
    return msgspec.structs.replace(stored, body=log_file.compress(document), metadata=metadata)


def text_of(stored: StoredObject, digest: Digest) -> bytes:
    return digest_file.text_to_sign(
        end=digest.end,
        bucket=stored.bucket,
        key=stored.key,
        document=digest_file.encode_digest(digest),
        previous_signature=digest.previous_signature,
    )


def untouched(files: Sequence[int] = (1, 0, 2, 1)) -> Bucket:
    """A chain of hourly digests with so many files each."""
    line = Digests()
    for count in files:
        line.deliver(count)
        line.wait(hours=1)
    line.close()
    pkcs1 = digest_file.pkcs1_of(line.signer.public_key())
    fingerprint = digest_file.fingerprint_of(pkcs1)
    key = PublicKey(fingerprint, pkcs1, START.timestamp(), START.timestamp() + 30 * 86_400)
    logs = {key: found.body for (_, key), found in line.store.objects.items() if "/CloudTrail/" in key}
    return Bucket(line.stored(), logs, {fingerprint: key})


SIGNER = FakeSigner()


@settings(max_examples=25)
@given(files=st.lists(st.integers(0, 3), min_size=1, max_size=6))
def test_nothing_is_wrong_with_a_chain_nobody_touched(files: list[int]) -> None:
    assert untouched(files).problems() == []


def test_a_chain_that_was_stopped_and_started_is_whole() -> None:
    line = Digests()
    line.deliver()
    line.stop()
    line.wait(hours=1)
    line.close()
    line.wait(hours=3)
    line.start()
    line.wait(hours=1)
    line.close()
    whole = untouched()
    whole.digests, whole.logs = line.stored(), {key: o.body for (_, key), o in line.store.objects.items()}

    verdicts = [check_chain(whole.checked()), [f for c in whole.checked() for f in c.findings]]

    assert verdicts == [[], []]


def metadata(number: int, **changes: str | None) -> Callable[[Bucket], None]:
    def tamper(bucket: Bucket) -> None:
        names = {name.replace("_", "-"): value for name, value in changes.items()}
        merged = {**bucket.digests[number].metadata, **names}
        kept = {name: value for name, value in merged.items() if value is not None}
        bucket.digests[number] = msgspec.structs.replace(bucket.digests[number], metadata=kept)

    return tamper


def body(number: int, change: Callable[[bytes], bytes | None]) -> Callable[[Bucket], None]:
    def tamper(bucket: Bucket) -> None:
        stored = bucket.digests[number]
        bucket.digests[number] = msgspec.structs.replace(stored, body=change(stored.body or b""))

    return tamper


def log(change: Callable[[bytes], bytes | None]) -> Callable[[Bucket], None]:
    def tamper(bucket: Bucket) -> None:
        key = min(bucket.logs)
        bucket.logs[key] = change(bucket.logs[key] or b"")

    return tamper


def rewrite(number: int, **members: Any) -> Callable[[Bucket], None]:
    """By somebody who can use the signing key, so that only what the digest says gives it away."""
    return lambda bucket: bucket.rewrite(number, resign=SIGNER, **members)


def forge(bucket: Bucket) -> None:
    """Sign with a key of one's own under the published fingerprint."""
    bucket.rewrite(-1, resign=STOLEN)


def moved(bucket: Bucket) -> None:
    bucket.digests[-1] = msgspec.structs.replace(bucket.digests[-1], key=bucket.digests[-1].key + ".copy")


def expired(bucket: Bucket) -> None:
    ((name, key),) = bucket.keys.items()
    bucket.keys[name] = msgspec.structs.replace(key, valid_to=START.timestamp() + 2 * 3600)


def another_hash(bucket: Bucket) -> None:
    """A signature of the right key, made with SHA-512."""
    stored = bucket.digests[-1]
    digest = digest_file.parse_digest(log_file.decompress(stored.body or b""))
    signature = SIGNER.key.sign(text_of(stored, digest), PKCS1v15(), SHA512()).hex()
    metadata(-1, signature=signature)(bucket)


def listed_again(bucket: Bucket) -> None:
    first = digest_file.parse_digest(log_file.decompress(bucket.digests[0].body or b""))
    last = digest_file.parse_digest(log_file.decompress(bucket.digests[-1].body or b""))
    files = [*last.files, *first.files]
    oldest = min(file.oldest or "" for file in files)
    bucket.rewrite(-1, resign=SIGNER, files=files, oldest=oldest)


def smuggled(bucket: Bucket) -> None:
    bucket.logs[min(bucket.logs).replace("_00", "_99")] = log_file.compress(b'{"Records":[]}')


def change_a_record(content: bytes) -> bytes:
    return log_file.compress(log_file.decompress(content).replace(b"CreateUser", b"DeleteUser"))


def unlisted(bucket: Bucket) -> None:
    bucket.rewrite(0, resign=SIGNER, files=[], newest=None, oldest=None)


D, L = Kind.DIGEST, Kind.LOG
ATTACKS: dict[str, tuple[Callable[[Bucket], Any], list[tuple[Kind, Problem]]]] = {
    "a record is changed": (log(change_a_record), [(L, Problem.HASH_DIFFERS)]),
    "a log file is deleted": (log(lambda _: None), [(L, Problem.NOT_FOUND)]),
    "a log file is cut off": (log(lambda content: content[:-9]), [(L, Problem.INVALID_FORMAT)]),
    "a log file's checksum is broken": (
        log(lambda content: content[:-8] + b"abcd" + content[-4:]),
        [(L, Problem.INVALID_FORMAT)],
    ),
    "something is put behind a log file": (log(lambda content: content + b"x"), [(L, Problem.TRAILING_DATA)]),
    "a log file is smuggled in": (smuggled, [(L, Problem.NOT_LISTED)]),
    "a digest is deleted": (
        lambda bucket: bucket.digests.pop(2),
        [(D, Problem.NOT_FOUND), (L, Problem.NOT_LISTED), (L, Problem.NOT_LISTED)],
    ),
    "a digest's object is gone as it is read": (body(1, lambda _: None), [(D, Problem.NOT_FOUND)]),
    "a digest is no gzip any more": (body(1, lambda _: b"\x1f\x8b!"), [(D, Problem.INVALID_FORMAT)]),
    "a digest is moved": (moved, [(D, Problem.MOVED), (D, Problem.BAD_SIGNATURE)]),
    "a digest lists other files": (
        lambda bucket: bucket.rewrite(-1, account="9" * 12),
        [(D, Problem.WRONG_PLACE), (D, Problem.BAD_SIGNATURE)],
    ),
    "the newest signature is altered": (metadata(-1, signature="0" * 512), [(D, Problem.BAD_SIGNATURE)]),
    "a signature is no hex": (metadata(-1, signature="signed"), [(D, Problem.BAD_SIGNATURE)]),
    "a signature is taken away": (metadata(-1, signature=None), [(D, Problem.BAD_SIGNATURE)]),
    "the algorithm is taken away": (metadata(-1, signature_algorithm=None), [(D, Problem.BAD_SIGNATURE)]),
    "the algorithm is renamed": (metadata(-1, signature_algorithm="none"), [(D, Problem.ALGORITHM)]),
    "another key signs": (forge, [(D, Problem.BAD_SIGNATURE)]),
    "another hash is signed": (another_hash, [(D, Problem.BAD_SIGNATURE)]),
    "the key is not known": (lambda bucket: bucket.keys.clear(), [(D, Problem.UNKNOWN_KEY)] * 4),
    "the key had expired": (expired, [(D, Problem.KEY_OUTSIDE_WINDOW)] * 2),
    "the previous hash is another": (rewrite(-1, previous_sha256="0" * 64), [(D, Problem.PREVIOUS_HASH)]),
    "the previous signature is another": (
        rewrite(-1, previous_signature="0" * 512),
        [(D, Problem.PREVIOUS_SIGNATURE)],
    ),
    "a window begins late": (rewrite(-1, start="2026-01-10T07:00:01Z"), [(D, Problem.NOT_CONTIGUOUS)]),
    "a window's begin is no time": (
        rewrite(-1, start="x"),
        [(D, Problem.INVALID_FORMAT), (L, Problem.NOT_LISTED)],
    ),
    "the event times are others": (rewrite(-1, newest="2027-01-01T00:00:00Z"), [(D, Problem.WRONG_TIMES)]),
    "a file is listed twice": (listed_again, [(L, Problem.LISTED_TWICE)]),
}


@pytest.mark.parametrize(("attack", "found"), ATTACKS.values(), ids=ATTACKS.keys())
def test_it_shows_when(attack: Callable[[Bucket], Any], found: list[tuple[Kind, Problem]]) -> None:
    bucket = untouched()

    attack(bucket)

    assert sorted(bucket.problems()) == sorted(found)


def test_who_holds_the_key_cannot_take_a_file_off_an_old_digest_unseen() -> None:
    bucket = untouched()

    unlisted(bucket)

    assert sorted(bucket.problems()) == sorted(
        [(D, Problem.PREVIOUS_HASH), (D, Problem.PREVIOUS_SIGNATURE), (L, Problem.NOT_LISTED)]
    )


def test_a_public_key_of_no_known_kind_verifies_nothing() -> None:
    bucket = untouched((0,))
    ((name, key),) = bucket.keys.items()
    bucket.keys[name] = msgspec.structs.replace(key, pkcs1=b"\x30\x03\x02\x01\x01")

    assert bucket.problems() == [(D, Problem.BAD_KEY)]
