"""The keys that sign digests, one after another. Made by rotation, taken by digest, listed by the API."""

from __future__ import annotations

import msgspec


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """One RSA_2048 key, from the claim on its number to its use.

    It comes about in steps that are saved one by one, so that a rotation that broke
    off is taken up by the next: claimed, made by KMS (``key_id``), ready (``spki``).
    A ready key never changes again; it signs until the next one's ``since``.

    ``version`` guards every write: of two rotations at once, one wins.
    """

    number: int  # 1 is the key the deployment came with
    version: int = 0
    claimed_at: float  # epoch seconds
    key_id: str = ""  # KMS key ARN or id
    spki: bytes = b""  # SubjectPublicKeyInfo, DER: kept here for ever, whatever becomes of the KMS key
    since: float = 0.0  # epoch seconds: it signs digests that end at or after this
    planned_until: float = 0.0  # epoch seconds: when its successor is due

    @property
    def ready(self) -> bool:
        """True when it may sign."""
        return bool(self.spki)
