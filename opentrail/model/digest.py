"""Digest chains: one per trail, account and Region. Made by digest, walked by validate."""

from __future__ import annotations

import msgspec

from opentrail.model.event import Place
from opentrail.model.tree import Tree
from opentrail.model.usage import Usage


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What a digest says of its predecessor."""

    bucket: str
    key: str
    sha256: str  # hex, of the uncompressed digest
    signature: str  # hex


class Head(Link, frozen=True, kw_only=True):
    """A digest that was stored, as it is written down where the bucket's writers cannot reach.

    Made by digest; the verifier holds bucket and ledger to it. What ``opentrail
    anchor show`` writes of a bucket without OpenTrail lacks the members with defaults.
    """

    chain_id: str = ""
    end: str = ""  # of its window
    backfill: bool = False
    tree_size: int = 0  # of the Merkle tree over the chain's records, this digest's included
    tree_root: str = ""  # hex; "" for a digest without a tree

    @property
    def line(self) -> str:
        """What it follows another head of: its chain, or the late files of its chain."""
        return late_line(self.chain_id) if self.backfill else self.chain_id


def late_line(chain_id: str) -> str:
    """What the heads of a chain's backfill digests follow each other in."""
    return f"{chain_id}#backfill"


class SealedDigest(msgspec.Struct, frozen=True, kw_only=True):
    """A digest that is decided: its exact bytes, the signature over them, where it goes."""

    bucket: str
    key: str
    document: bytes  # uncompressed JSON
    signature: str  # hex
    file_ids: tuple[str, ...]  # the ledger's names of the log files it lists
    generated: str = ""  # when a backfill digest was made; "" for every other
    tree: bytes = b""  # the tree object that goes beside it, uncompressed
    usage: dict[str, Usage] = {}  # day of delivery -> what its log files count up to


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one digest chain.

    ``version`` guards every write: of two digest functions that run at once,
    one wins. ``pending`` is a digest that is decided but whose object may not
    be stored yet; nothing follows it until it is.
    """

    trail_arn: str
    place: Place
    bucket: str
    prefix: str = ""
    organization_id: str = ""
    kms_key_arn: str = ""
    started_at: float  # epoch seconds: start of the first window
    version: int = 0
    end: str = ""  # end of the newest window, "" before the first
    head: Link | None = None  # the newest digest, None at the start of a chain
    pending: SealedDigest | None = None
    tree: Tree = Tree()  # over the records of all its digests' files; it goes on when the chain begins anew
    ended: bool = False  # logging or validation stopped and the final digest is decided
    taken_until: float = 0.0  # epoch seconds: what was delivered before and is not listed yet is late
    backfill_end: str = ""  # end of the newest backfill digest, "" before the first
    backfill_head: Link | None = None  # the newest backfill digest: late files have a chain of their own

    @property
    def id(self) -> str:
        """``<trail ARN>#<account>#<region>``."""
        return f"{self.trail_arn}#{self.place.account}#{self.place.region}"
