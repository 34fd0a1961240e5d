"""A key that served its time -> its successor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from opentrail.errors import ConflictError
from opentrail.model.signing_key import SigningKey

# A claim older than this was abandoned: no rotation runs so long.
LEASE = timedelta(minutes=15)

# For the window a key is listed with when none will follow it: that of every published sample.
USUAL_DAYS = 30


class KeyRegistry(Protocol):
    """All signing keys. Maps to ``Query`` and ``PutItem`` on one partition of the ledger table."""

    def entries(self) -> Sequence[SigningKey]:
        """Every key that was ever claimed, oldest first. Raises ``StorageError``."""

    def save(self, key: SigningKey) -> SigningKey:
        """Write ``key`` if its version is still the stored one; answer it with its new version.

        Raises:
            ConflictError: another run wrote first.
        """


class KeyMaker(Protocol):
    """Maps to ``kms:CreateKey``, ``kms:DescribeKey`` and ``kms:GetPublicKey``."""

    def first(self) -> tuple[str, datetime]:
        """Id and creation time of the key the deployment came with. Raises ``StorageError``."""

    def make(self, number: int) -> str:
        """Make the key of that number; answer its id. Raises ``StorageError``."""

    def public_key(self, key_id: str) -> bytes:
        """SubjectPublicKeyInfo, DER. Raises ``StorageError``."""


def rotate(
    registry: KeyRegistry, maker: KeyMaker, *, now: datetime, days: int, at_once: bool = False
) -> SigningKey | None:
    """Give the newest key a successor when it is due, or finish one that an earlier run began.

    The key the deployment came with becomes number 1 in the first run. No key is made
    without the claim on its number, so two runs at once make one.

    Args:
        registry: where keys are kept.
        maker: KMS.
        now: UTC.
        days: how long a key signs; 0 means for ever.
        at_once: make a successor now, due or not.

    Returns:
        SigningKey | None: the key that signs from now on, ``None`` when all stays as it is.

    Raises:
        ConflictError: another run is at it.
        StorageError: the registry or KMS refused or did not answer; the next run goes on.
    """
    entries = registry.entries()
    newest = entries[-1] if entries else _save_first(registry, maker, days)
    if newest.ready:
        if not at_once and not is_due(newest, now, days):
            return None
        claim = registry.save(SigningKey(number=newest.number + 1, claimed_at=now.timestamp()))
    else:
        claim = _take_up(registry, newest, now)
    if not claim.key_id:
        claim = registry.save(msgspec.structs.replace(claim, key_id=maker.make(claim.number)))
    return registry.save(_make_ready(claim, maker.public_key(claim.key_id), now, days))


def is_due(key: SigningKey, now: datetime, days: int) -> bool:
    """True when ``key`` has signed for ``days``."""
    return days > 0 and now.timestamp() >= key.since + timedelta(days=days).total_seconds()


def first_key(maker: KeyMaker, days: int = 0) -> SigningKey:
    """The key the deployment came with, as number 1. Raises ``StorageError``."""
    key_id, created = maker.first()
    claim = SigningKey(number=1, claimed_at=created.timestamp(), key_id=key_id)
    return _make_ready(claim, maker.public_key(key_id), created, days)


def _save_first(registry: KeyRegistry, maker: KeyMaker, days: int) -> SigningKey:
    return registry.save(first_key(maker, days))


def _take_up(registry: KeyRegistry, claim: SigningKey, now: datetime) -> SigningKey:
    """The claim of a run that broke off, made ours where KMS may not have made its key yet."""
    if claim.key_id:
        return claim
    if now.timestamp() - claim.claimed_at < LEASE.total_seconds():
        raise ConflictError(f"another rotation is making key {claim.number}")
    return registry.save(msgspec.structs.replace(claim, claimed_at=now.timestamp()))


def _make_ready(claim: SigningKey, spki: bytes, now: datetime, days: int) -> SigningKey:
    since = now.replace(microsecond=0)
    planned = since + timedelta(days=days or USUAL_DAYS)
    return msgspec.structs.replace(
        claim, spki=spki, since=since.timestamp(), planned_until=planned.timestamp()
    )
