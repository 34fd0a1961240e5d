"""Merkle trees over a chain's records. Grown by digest, checked by validate, proven from by the CLI."""

from __future__ import annotations

import msgspec


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """As much of a chain's tree as it takes to continue it."""

    size: int = 0  # leaves: records of the chain's log files, in the order its digests list them
    heads: int = 0  # how many heads were signed
    nodes: tuple[bytes, ...] = ()  # the hashes of its perfect subtrees, largest first


class TreeHead(msgspec.Struct, frozen=True, kw_only=True):
    """What a signed head says: the tree as it was after a digest."""

    chain_id: str
    size: int
    root: bytes
    number: int  # of this head in the chain, from 1
    made: str  # the end of the digest's window; of a backfill digest, when it was generated
    bucket: str  # the digest's place
    key: str
    digest_sha256: str  # hex, of the uncompressed digest


class SignedHead(msgspec.Struct, frozen=True, kw_only=True):
    """A head as it is stored and handed around."""

    text: str
    signature: str  # hex
    fingerprint: str  # of the public key
    algorithm: str
