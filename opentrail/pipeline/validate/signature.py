"""Signatures over digests, and over anything else the same keys sign."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from opentrail.errors import FormatError
from opentrail.format import digest_file, keys
from opentrail.format.digest_file import Digest
from opentrail.model.report import Problem
from opentrail.pipeline.validate.stored import PublicKey, StoredObject

_HEX = re.compile(r"[0-9a-f]+")  # aws-cli takes capitals; CloudTrail does not write them


def signature_problems(
    stored: StoredObject,
    digest: Digest,
    document: bytes,
    public_keys: Mapping[str, PublicKey],
    made: float,
) -> Iterator[tuple[Problem, str]]:
    """What is wrong with a digest's signature: (problem, detail) each.

    Args:
        document: the digest's uncompressed bytes.
        public_keys: by fingerprint, all that may have signed.
        made: when it was made (epoch seconds); the key has to be valid then.
    """
    algorithm = stored.metadata.get(digest_file.ALGORITHM_METADATA, "")
    signature = stored.metadata.get(digest_file.SIGNATURE_METADATA, "")
    if not signature or not algorithm:
        yield Problem.BAD_SIGNATURE, "the object carries no signature"
        return
    if {algorithm, digest.signature_algorithm} != {digest_file.SIGNATURE_ALGORITHM}:
        yield Problem.ALGORITHM, ""
    key = public_keys.get(digest.fingerprint)
    if key is None:
        home = _home_region_of(stored.key)
        yield Problem.UNKNOWN_KEY, f"in region {home} for fingerprint {digest.fingerprint}"
        return
    text = digest_file.text_to_sign(
        end=digest.end,
        bucket=stored.bucket,
        key=stored.key,
        document=document,
        previous_signature=digest.previous_signature,
    )
    wrong = verify_text(text, signature, key)
    if wrong is not None:
        yield wrong
    if not key.valid_from <= made <= key.valid_to:
        yield Problem.KEY_OUTSIDE_WINDOW, ""


def verify_text(text: bytes, signature: str, key: PublicKey) -> tuple[Problem, str] | None:
    """What is wrong with ``signature`` (lower-case hex) over ``text``; ``None`` when nothing is."""
    try:
        raw = binascii.a2b_hex(signature)
    except ValueError as error:
        return Problem.BAD_SIGNATURE, str(error)  # validate-logs says only this
    if not _HEX.fullmatch(signature):
        return Problem.BAD_SIGNATURE, "it is written in capitals"
    public = _load(key.pkcs1)
    if public is None:
        return Problem.BAD_KEY, f"with fingerprint {key.fingerprint}"
    try:
        public.verify(raw, text, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return Problem.BAD_SIGNATURE, ""
    return None


def _load(der: bytes) -> RSAPublicKey | None:
    """The RSA key in a PKCS#1 ``RSAPublicKey``. validate-logs takes no other form, so neither do we."""
    try:
        public = load_der_public_key(der)
    except (UnsupportedAlgorithm, ValueError):
        return None
    if not isinstance(public, RSAPublicKey) or public.public_bytes(Encoding.DER, PublicFormat.PKCS1) != der:
        return None
    return public


def generated_at(stored: StoredObject) -> float | None:
    """When a backfill digest was made, in epoch seconds; ``None`` for every other digest.

    Raises:
        FormatError: a backfill digest that does not say, which validate-logs refuses.
    """
    if not stored.key.endswith(digest_file.BACKFILL_SUFFIX):
        return None
    text = stored.metadata.get(digest_file.GENERATED_METADATA, "")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FormatError(f"a backfill digest that was generated at {text!r}") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _home_region_of(key: str) -> str:
    try:
        return keys.parse_digest_key(key).home_region
    except FormatError:
        return "unknown"
