"""Digest files -> findings: each one by itself, then each one against the one before it.

Source: CloudTrail user guide, "Custom implementations of CloudTrail log file
integrity validation"; what goes beyond it is marked in ``Problem``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from opentrail.errors import FormatError
from opentrail.format import digest_file, keys, log_file, times
from opentrail.format.digest_file import Digest
from opentrail.model.digest import Link
from opentrail.model.report import Finding, Kind, Problem


class PublicKey(msgspec.Struct, frozen=True):
    """A key as ListPublicKeys answers it. Times are epoch seconds."""

    fingerprint: str
    pkcs1: bytes
    valid_from: float
    valid_to: float


class StoredObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object as it lies in the bucket; ``body`` is ``None`` when it is not there."""

    bucket: str
    key: str
    body: bytes | None
    metadata: Mapping[str, str] = {}


class CheckedDigest(msgspec.Struct, frozen=True, kw_only=True):
    """A digest that was looked at by itself. ``digest`` is ``None`` when it could not be read."""

    stored: StoredObject
    digest: Digest | None
    sha256: str
    findings: tuple[Finding, ...]


def check_digest(stored: StoredObject, public_keys: Mapping[str, PublicKey]) -> CheckedDigest:
    """Judge one digest by itself: its bytes, its place, its key, its signature, its times.

    Args:
        stored: as fetched.
        public_keys: by fingerprint, all that may have signed.
    """
    if stored.body is None:
        return _unreadable(stored, Problem.NOT_FOUND)
    try:
        document = log_file.decompress(stored.body)
        digest = digest_file.parse_digest(document)
    except FormatError as error:
        return _unreadable(stored, Problem.INVALID_FORMAT, str(error))
    problems = [
        *_place_problems(stored, digest),
        *_signature_problems(stored, digest, document, public_keys),
        *_content_problems(digest),
    ]
    return CheckedDigest(
        stored=stored,
        digest=digest,
        sha256=log_file.sha256_hex(document),
        findings=tuple(_finding(stored, problem, detail) for problem, detail in problems),
    )


def check_chain(checked: Sequence[CheckedDigest]) -> list[Finding]:
    """Judge digests against each other.

    A starting digest, which names no predecessor, may follow a gap: logging was
    stopped in between. Every other one must continue the one before it.

    Args:
        checked: of one chain, oldest first, the unreadable ones included.
    """
    present = {(c.stored.bucket, c.stored.key) for c in checked}
    findings: list[Finding] = []
    for older, newer in pairwise(checked):
        if newer.digest is None or newer.digest.previous_key is None:
            continue
        named = (newer.digest.previous_bucket or "", newer.digest.previous_key)
        if named == (older.stored.bucket, older.stored.key):
            findings += [_finding(newer.stored, problem) for problem in _link_problems(older, newer.digest)]
        elif named in present:
            findings.append(
                _finding(newer.stored, Problem.PREVIOUS_PLACE, f"it names s3://{'/'.join(named)}")
            )
        else:
            findings.append(Finding(Kind.DIGEST, *named, Problem.NOT_FOUND))
    return findings


def check_head(checked: Sequence[CheckedDigest], head: Link) -> list[Finding]:
    """Judge a chain against a head that is kept elsewhere: digests cut off its end show up here.

    Args:
        checked: of one chain, oldest first, up to now.
        head: the newest digest, from the ledger or an anchor.
    """
    newest = next((c.stored for c in reversed(checked) if c.stored.body is not None), None)
    if newest is not None and newest.key == head.key:
        same = checked[-1].sha256 == head.sha256
        return [] if same else [_finding(newest, Problem.HASH_DIFFERS, "of the anchored head")]
    if newest is None:
        return [Finding(Kind.DIGEST, head.bucket, head.key, Problem.NOT_FOUND, "the anchored head")]
    return [_finding(newest, Problem.MISSING_DIGESTS, f"the head is {head.key}")]


def _place_problems(stored: StoredObject, digest: Digest) -> Iterator[tuple[Problem, str]]:
    if (digest.bucket, digest.key) != (stored.bucket, stored.key):
        yield Problem.MOVED, f"from s3://{digest.bucket}/{digest.key}"
        return
    try:
        parsed = keys.parse_digest_key(digest.key)
    except FormatError as error:
        yield Problem.WRONG_PLACE, str(error)
        return
    if (parsed.place.account, times.to_iso(parsed.end)) != (digest.account, digest.end):
        yield Problem.WRONG_PLACE, f"it says {digest.account} and {digest.end}"


def _signature_problems(
    stored: StoredObject, digest: Digest, document: bytes, public_keys: Mapping[str, PublicKey]
) -> Iterator[tuple[Problem, str]]:
    algorithm = stored.metadata.get(digest_file.ALGORITHM_METADATA, "")
    signature = stored.metadata.get(digest_file.SIGNATURE_METADATA, "")
    if not signature or not algorithm:
        yield Problem.BAD_SIGNATURE, "the object carries no signature"
        return
    if {algorithm, digest.signature_algorithm} != {digest_file.SIGNATURE_ALGORITHM}:
        yield Problem.ALGORITHM, ""
    key = public_keys.get(digest.fingerprint)
    if key is None:
        yield Problem.UNKNOWN_KEY, f"fingerprint {digest.fingerprint}"
        return
    if not _signed(stored, digest, document, signature, key):
        yield Problem.BAD_SIGNATURE, ""
    try:
        ended = times.from_iso(digest.end).timestamp()
    except FormatError as error:
        yield Problem.INVALID_FORMAT, str(error)
        return
    if not key.valid_from <= ended <= key.valid_to:
        yield Problem.KEY_OUTSIDE_WINDOW, ""


def _signed(stored: StoredObject, digest: Digest, document: bytes, signature: str, key: PublicKey) -> bool:
    text = digest_file.text_to_sign(
        end=digest.end,
        bucket=stored.bucket,
        key=stored.key,
        document=document,
        previous_signature=digest.previous_signature,
    )
    try:
        public = load_der_public_key(key.pkcs1)
        if not isinstance(public, RSAPublicKey):
            return False
        public.verify(bytes.fromhex(signature), text, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _content_problems(digest: Digest) -> Iterator[tuple[Problem, str]]:
    newest = max((f.newest for f in digest.files if f.newest), default=None)
    oldest = min((f.oldest for f in digest.files if f.oldest), default=None)
    if (digest.newest, digest.oldest) != (newest, oldest):
        yield Problem.WRONG_TIMES, ""
    if any(f.hash_algorithm != digest_file.HASH_ALGORITHM for f in digest.files):
        yield Problem.ALGORITHM, "of a listed file"


def _link_problems(older: CheckedDigest, newer: Digest) -> Iterator[Problem]:
    if older.digest is None:
        return
    if newer.previous_sha256 != older.sha256:
        yield Problem.PREVIOUS_HASH
    if newer.previous_signature != older.stored.metadata.get(digest_file.SIGNATURE_METADATA):
        yield Problem.PREVIOUS_SIGNATURE
    if newer.start != older.digest.end:
        yield Problem.NOT_CONTIGUOUS


def _finding(stored: StoredObject, problem: Problem, detail: str = "") -> Finding:
    return Finding(Kind.DIGEST, stored.bucket, stored.key, problem, detail)


def _unreadable(stored: StoredObject, problem: Problem, detail: str = "") -> CheckedDigest:
    return CheckedDigest(stored=stored, digest=None, sha256="", findings=(_finding(stored, problem, detail),))
