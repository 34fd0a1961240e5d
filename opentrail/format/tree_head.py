"""Tree heads: the text that is signed, and the object that lies beside a digest.

The text is the body of a transparency log's checkpoint (C2SP, "tlog-checkpoint"):
origin, size and root hash, a line each, then lines of our own that tie the head to
its digest. It never begins as the text a digest's signature covers does, so that
neither signature can pass for the other.
"""

from __future__ import annotations

import base64
import binascii
import re

import msgspec

from opentrail.errors import FormatError
from opentrail.format import keys, log_file, merkle, times
from opentrail.model.tree import SignedHead, TreeHead

VERSION = 1
FOLDER = "OpenTrail-Tree"
MAX_BYTES = 16_000_000  # of one tree object; the largest that is written has a few hundred kilobytes
_ORIGIN = "opentrail/"
_NUMBER = re.compile(r"0|[1-9]\d{0,18}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class TreeFile(msgspec.Struct, frozen=True, kw_only=True):
    """What lies beside a digest: its signed head, and the hashes that proofs need."""

    version: int = VERSION
    head: SignedHead
    previous_size: int = msgspec.field(name="previousTreeSize")
    before: list[str]  # hex, the nodes of the tree up to this digest
    added: list[str]  # hex, the nodes over this digest's records
    leaves: list[
        int | None
    ]  # how many records of each log file the digest lists; null = it could not be read


def head_text(head: TreeHead) -> str:
    """What the signature covers."""
    lines = [
        _ORIGIN + head.chain_id,
        str(head.size),
        base64.b64encode(head.root).decode(),
        f"head {head.number}",
        f"made {head.made}",
        f"digest {head.digest_sha256} s3://{head.bucket}/{head.key}",
    ]
    return "\n".join(lines) + "\n"


def parse_head(text: str) -> TreeHead:
    """Read what ``head_text`` wrote.

    Raises:
        FormatError: it is something else, down to the last byte.
    """
    try:
        origin, size, root, number, made, digest, rest = text.split("\n")
        sha256, _, place = digest.removeprefix("digest ").partition(" s3://")
        bucket, _, key = place.partition("/")
        head = TreeHead(
            chain_id=origin.removeprefix(_ORIGIN),
            size=_whole(size),
            root=base64.b64decode(root, validate=True),
            number=_whole(number.removeprefix("head ")),
            made=made.removeprefix("made "),
            bucket=bucket,
            key=key,
            digest_sha256=sha256,
        )
    except (ValueError, binascii.Error) as error:
        raise FormatError(f"not a tree head: {error}") from error
    times.from_iso(head.made)
    if (
        rest
        or head_text(head) != text
        or len(head.root) != merkle.HASH_BYTES
        or not _SHA256.fullmatch(sha256)
    ):
        raise FormatError("not a tree head")
    return head


def _whole(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"not a number: {text!r}")
    return int(text)


def tree_key(digest_key: str) -> str:
    """Where the tree object of a digest lies: a folder of its own, the digest's name in it.

    CloudTrail's readers look into folders whose names begin with ``CloudTrail``,
    and ``validate-logs`` into that of the digests alone.
    """
    return digest_key.replace(keys.DIGESTS, FOLDER)


def encode_tree(tree: TreeFile) -> bytes:
    """The bytes that are stored, before compression."""
    return msgspec.json.encode(tree)


def parse_tree(body: bytes) -> TreeFile:
    """Read a stored tree object.

    Raises:
        FormatError: it is something else, or of a later version.
    """
    try:
        tree = msgspec.json.decode(log_file.decompress(body, limit=MAX_BYTES), type=TreeFile)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FormatError(f"not a tree object: {error}") from error
    if tree.version != VERSION:
        raise FormatError(f"a tree object of version {tree.version}; this reads version {VERSION}")
    return tree


def nodes_of(tree: TreeFile, size: int) -> tuple[list[merkle.Node], list[merkle.Node]]:
    """The nodes up to the digest, and those it added, of a tree that then had ``size`` leaves.

    Raises:
        FormatError: they do not fit its sizes, or are no hashes.
    """
    before = merkle.place_nodes(0, tree.previous_size, from_hex(tree.before))
    return before, merkle.place_nodes(tree.previous_size, size, from_hex(tree.added))


def from_hex(texts: list[str]) -> list[bytes]:
    """Hashes from their hexadecimal form.

    Raises:
        FormatError: one is no SHA-256 hash.
    """
    if not all(_SHA256.fullmatch(text) for text in texts):
        raise FormatError("not a list of SHA-256 hashes")
    return [bytes.fromhex(text) for text in texts]
