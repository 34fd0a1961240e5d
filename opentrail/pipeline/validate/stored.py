"""What a verifier is given: objects as they lie in a bucket, and public keys."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


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
