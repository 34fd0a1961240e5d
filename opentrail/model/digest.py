"""Digest chains: one per trail, account and Region. Made by digest, walked by validate."""

from __future__ import annotations

import msgspec

from opentrail.model.event import Place


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What a digest says of its predecessor."""

    bucket: str
    key: str
    sha256: str  # hex, of the uncompressed digest
    signature: str  # hex


class SealedDigest(msgspec.Struct, frozen=True, kw_only=True):
    """A digest as stored: its exact bytes and the signature over them."""

    bucket: str
    key: str
    body: bytes  # uncompressed JSON
    sha256: str
    signature: str
    start: str
    end: str
    files: tuple[str, ...]  # ledger ids of the log files it lists


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one digest chain.

    ``sequence`` counts digests and guards every write: two digest functions that
    run at once cannot both add one. ``pending`` is a digest that is decided but
    whose object may not be stored yet.
    """

    trail_arn: str
    place: Place
    bucket: str
    prefix: str
    organization_id: str = ""
    kms_key_arn: str = ""
    started_at: float  # start of the first window
    sequence: int = 0
    end: str = ""  # end of the newest window, "" before the first
    head: Link | None = None  # the newest digest, None at the start of a chain
    pending: SealedDigest | None = None
    ended: bool = False  # logging or validation stopped and the final digest is out

    @property
    def id(self) -> str:
        """``<trail ARN>#<account>#<region>``."""
        return f"{self.trail_arn}#{self.place.account}#{self.place.region}"
