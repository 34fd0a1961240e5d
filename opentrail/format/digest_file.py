"""Digest files: their JSON, the text that is signed, and what their S3 object carries.

Source: CloudTrail user guide, "CloudTrail digest file structure" and "Custom
implementations of CloudTrail log file integrity validation".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

import msgspec

from opentrail.errors import FormatError
from opentrail.format import times
from opentrail.model.digest import Link
from opentrail.model.event import Place
from opentrail.model.log_file import LogFile

SIGNATURE_ALGORITHM = "SHA256withRSA"
HASH_ALGORITHM = "SHA-256"
SIGNATURE_METADATA = "signature"
ALGORITHM_METADATA = "signature-algorithm"
GENERATED_METADATA = "backfill-generation-timestamp"  # of backfill digests only
BACKFILL_SUFFIX = "_backfill.json.gz"

_SPKI_HEADER_BYTES = 24  # SubjectPublicKeyInfo of RSA-2048 is this header, then the PKCS#1 key
_SPKI_BYTES = 294
_SPKI_START = bytes.fromhex("30820122300d06092a864886f70d010101")  # SEQUENCE, rsaEncryption


class ListedFile(msgspec.Struct, frozen=True):
    """One log file as a digest lists it."""

    bucket: str = msgspec.field(name="s3Bucket")
    key: str = msgspec.field(name="s3Object")
    sha256: str = msgspec.field(name="hashValue")
    hash_algorithm: str = msgspec.field(name="hashAlgorithm")
    newest: str | None = msgspec.field(name="newestEventTime", default=None)
    oldest: str | None = msgspec.field(name="oldestEventTime", default=None)


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """A digest's JSON, in the order CloudTrail writes its members."""

    account: str = msgspec.field(name="awsAccountId")
    start: str = msgspec.field(name="digestStartTime")
    end: str = msgspec.field(name="digestEndTime")
    bucket: str = msgspec.field(name="digestS3Bucket")
    key: str = msgspec.field(name="digestS3Object")
    fingerprint: str = msgspec.field(name="digestPublicKeyFingerprint")
    signature_algorithm: str = msgspec.field(name="digestSignatureAlgorithm")
    newest: str | None = msgspec.field(name="newestEventTime")
    oldest: str | None = msgspec.field(name="oldestEventTime")
    previous_bucket: str | None = msgspec.field(name="previousDigestS3Bucket")
    previous_key: str | None = msgspec.field(name="previousDigestS3Object")
    previous_sha256: str | None = msgspec.field(name="previousDigestHashValue")
    previous_hash_algorithm: str | None = msgspec.field(name="previousDigestHashAlgorithm")
    previous_signature: str | None = msgspec.field(name="previousDigestSignature")
    files: list[ListedFile] = msgspec.field(name="logFiles")


_decoder = msgspec.json.Decoder(Digest)


def make_digest(
    *,
    place: Place,
    start: datetime,
    end: datetime,
    bucket: str,
    key: str,
    fingerprint: str,
    previous: Link | None,
    files: Sequence[LogFile],
) -> Digest:
    """The digest of one window. ``previous`` is ``None`` in a starting digest: its five members are null."""
    return Digest(
        account=place.account,
        start=times.to_iso(start),
        end=times.to_iso(end),
        bucket=bucket,
        key=key,
        fingerprint=fingerprint,
        signature_algorithm=SIGNATURE_ALGORITHM,
        newest=max((f.newest for f in files), default=None),
        oldest=min((f.oldest for f in files), default=None),
        previous_bucket=previous.bucket if previous else None,
        previous_key=previous.key if previous else None,
        previous_sha256=previous.sha256 if previous else None,
        previous_hash_algorithm=HASH_ALGORITHM if previous else None,
        previous_signature=previous.signature if previous else None,
        files=[ListedFile(f.bucket, f.key, f.sha256, HASH_ALGORITHM, f.newest, f.oldest) for f in files],
    )


def encode_digest(digest: Digest) -> bytes:
    """The exact bytes that are hashed, signed and stored."""
    return msgspec.json.encode(digest)


def parse_digest(document: bytes) -> Digest:
    """Read an uncompressed digest.

    Raises:
        FormatError: not a digest; a missing member counts, a null one does not.
    """
    try:
        return _decoder.decode(document)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FormatError(f"not a digest file: {error}") from error


def refuse_repeated_members(document: bytes) -> None:
    """A member that is named twice means one thing to one reader and another to the next.

    Raises:
        FormatError: an object in ``document`` names a member twice.
    """

    def check(members: list[tuple[str, object]]) -> None:
        if len({name for name, _ in members}) != len(members):
            raise FormatError("a member is named twice")

    try:
        json.loads(document, object_pairs_hook=check)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not a digest file: {error}") from error


def text_to_sign(
    *, end: str, bucket: str, key: str, document: bytes, previous_signature: str | None
) -> bytes:
    """What the signature covers: end time, place, hash of the digest, signature before it."""
    digest_hash = hashlib.sha256(document).hexdigest()
    return f"{end}\n{bucket}/{key}\n{digest_hash}\n{previous_signature or 'null'}".encode()


def pkcs1_of(spki: bytes) -> bytes:
    """The PKCS#1 ``RSAPublicKey`` inside an RSA-2048 SubjectPublicKeyInfo (DER).

    ``ListPublicKeys`` carries the former, KMS ``GetPublicKey`` gives the latter.

    Raises:
        FormatError: not the public key of an RSA-2048 pair.
    """
    if len(spki) != _SPKI_BYTES or not spki.startswith(_SPKI_START):
        raise FormatError("not an RSA-2048 SubjectPublicKeyInfo")
    return spki[_SPKI_HEADER_BYTES:]


def fingerprint_of(pkcs1: bytes) -> str:
    """Lower-case hex MD5 of the key's DER, as ``ListPublicKeys`` names it.

    AWS does not document it; it was matched against published key and
    fingerprint pairs. It is a name, not a safeguard.
    """
    return hashlib.md5(pkcs1, usedforsecurity=False).hexdigest()
