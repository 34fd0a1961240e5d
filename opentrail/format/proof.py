"""Proof files: what one record, or two tree heads, need to be checked without the trail."""

from __future__ import annotations

import msgspec

from opentrail.errors import FormatError
from opentrail.model.tree import SignedHead

VERSION = 1


class InclusionProof(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="inclusion"):
    """That a record is in the tree a head was signed over."""

    version: int = VERSION
    record: str  # byte for byte as it stands in its log file
    index: int  # of its leaf
    path: list[str]  # hex, RFC 6962's audit path
    head: SignedHead


class ConsistencyProof(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="consistency"):
    """That the tree of a newer head begins with that of an older one."""

    version: int = VERSION
    path: list[str]
    older: SignedHead
    newer: SignedHead


Proof = InclusionProof | ConsistencyProof

_decoder: msgspec.json.Decoder[Proof] = msgspec.json.Decoder(Proof)


def encode_proof(proof: Proof) -> bytes:
    """The file's bytes; people read them, too."""
    return msgspec.json.format(msgspec.json.encode(proof), indent=2) + b"\n"


def parse_proof(body: bytes) -> Proof:
    """Read a proof file.

    Raises:
        FormatError: it is something else, or of a later version.
    """
    try:
        proof = _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FormatError(f"not a proof: {error}") from error
    if proof.version != VERSION:
        raise FormatError(f"a proof of version {proof.version}; this reads version {VERSION}")
    return proof
