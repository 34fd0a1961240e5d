"""The signing key in KMS, as CloudTrail lists its public keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from opentrail.adapters.aws.failure import storage_errors
from opentrail.model.resource import PublicKey

# Every published sample of a CloudTrail key is valid for exactly 30 days and windows may overlap.
# How far they overlap is not published: one day is far longer than any digest is late.
VALIDITY = timedelta(days=30)
OVERLAP = timedelta(days=1)


class KmsPublicKeys:
    """RSA keys in KMS that sign, or signed, digests.

    A key's windows begin one day before it was created and follow one another
    for as long as the key exists: the same key, listed anew every 29 days.
    """

    def __init__(self, client: Any, key_ids: Sequence[str]) -> None:
        self._client = client
        self._key_ids = key_ids
        self._known: list[tuple[bytes, datetime]] = []

    def keys(self, start: datetime, end: datetime) -> list[PublicKey]:
        """See ``opentrail.api.ports.PublicKeys``. The keys themselves are fetched once."""
        if not self._known:
            self._known = [self._fetch(key_id) for key_id in self._key_ids]
        return [
            PublicKey(der=der, valid_from=since, valid_to=since + VALIDITY)
            for der, created in self._known
            for since in _windows(created, start, end)
        ]

    def _fetch(self, key_id: str) -> tuple[bytes, datetime]:
        with storage_errors(f"get public key of {key_id}"):
            created = self._client.describe_key(KeyId=key_id)["KeyMetadata"]["CreationDate"]
            return to_pkcs1(self._client.get_public_key(KeyId=key_id)["PublicKey"]), created


def _windows(created: datetime, start: datetime, end: datetime) -> Iterator[datetime]:
    since = created - OVERLAP
    step = VALIDITY - OVERLAP
    if start > since + VALIDITY:
        since += step * ((start - since - VALIDITY) // step)
    while since <= end:
        if since + VALIDITY >= start:
            yield since
        since += step


def to_pkcs1(spki: bytes) -> bytes:
    """SubjectPublicKeyInfo DER -> PKCS#1 RSAPublicKey DER, which is what validators load.

    The latter is the content of the former's BIT STRING: SEQUENCE { algorithm
    SEQUENCE, BIT STRING }, one byte of unused bits before it. (RFC 5280, 4.1; RFC 8017, A.1.1)
    """
    _, inside, _ = _element(spki)
    _, _, rest = _element(inside)
    _, bits, _ = _element(rest)
    return bits[1:]


def _element(der: bytes) -> tuple[int, bytes, bytes]:
    """(tag, content, what follows) of the first DER element."""
    length, header = der[1], 2
    if length & 0x80:
        size = length & 0x7F
        length, header = int.from_bytes(der[2 : 2 + size], "big"), 2 + size
    return der[0], der[header : header + length], der[header + length :]
