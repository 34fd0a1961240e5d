"""The records of a digest's files -> the chain's Merkle tree, grown by them, and its signed head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from opentrail.errors import FormatError, StorageError
from opentrail.format import digest_file, log_file, merkle, times
from opentrail.format.tree_head import TreeFile, encode_tree, head_text
from opentrail.model.digest import Chain
from opentrail.model.log_file import LogFile
from opentrail.model.tree import SignedHead, Tree, TreeHead
from opentrail.pipeline.digest.ports import DigestStore, Signer

# Reading a million records and hashing them takes some five seconds of one processor. What a digest
# lists beyond this stays out of the tree, so that the digest itself is never late for it.
MAX_RECORDS = 5_000_000

# Where files can never be read again, the digest must not wait for them.
_OUT_OF_REACH = ("NoSuchBucket", "AccessDenied")


@dataclass(frozen=True, slots=True)
class Growth:
    """A tree before and after a digest."""

    before: Tree
    after: Tree
    added: list[merkle.Node]
    leaves: list[int | None]  # records of each file; None = it could not be read as it was delivered

    @property
    def root(self) -> bytes:
        """The root of the grown tree."""
        return merkle.root_of(merkle.place_nodes(0, self.after.size, self.after.nodes))


def grow(tree: Tree, files: Sequence[LogFile], store: DigestStore) -> Growth:
    """Add the records of ``files``, in order, each byte for byte as it lies in its file.

    A file that is gone, or is not what was delivered, adds nothing: the verifier finds it by the digest.

    Raises:
        StorageError: a file could not be read now; nothing is decided, and the next run tries again.
    """
    added: list[merkle.Node] = []
    leaves: list[int | None] = []
    size = tree.size
    for file in files:
        records = _records(file, store) if size - tree.size + file.count <= MAX_RECORDS else None
        leaves.append(None if records is None else len(records))
        added = merkle.join([*added, *merkle.leaves(size, records or [])])
        size += len(records or [])
    nodes = merkle.join([*merkle.place_nodes(0, tree.size, tree.nodes), *added])
    after = Tree(size=size, heads=tree.heads + 1, nodes=tuple(node.hash for node in nodes))
    return Growth(tree, after, added, leaves)


def _records(file: LogFile, store: DigestStore) -> list[bytes] | None:
    try:
        body = store.read(file.bucket, file.key)
    except StorageError as error:
        if error.code in _OUT_OF_REACH:
            return None
        raise
    try:
        document = log_file.decompress(body or b"")
        if log_file.sha256_hex(document) != file.sha256:
            return None
        return log_file.split_records(document)
    except FormatError:
        return None


def add_tree(
    chain: Chain, files: Sequence[LogFile], *, made: datetime, store: DigestStore, signer: Signer
) -> Chain:
    """Grow the tree of ``chain`` by what its pending digest lists, and sign the head that lies beside it.

    Args:
        files: of the pending digest, in its order.
        made: the end of its window; of a backfill digest, when it was generated.

    Raises:
        StorageError: a file could not be read now, or the key did not answer.
    """
    assert chain.pending is not None  # it was just sealed
    growth = grow(chain.tree, files, store)
    text = head_text(
        TreeHead(
            chain_id=chain.id,
            size=growth.after.size,
            root=growth.root,
            number=growth.after.heads,
            made=times.to_iso(made),
            bucket=chain.pending.bucket,
            key=chain.pending.key,
            digest_sha256=log_file.sha256_hex(chain.pending.document),
        )
    )
    tree = TreeFile(
        head=SignedHead(
            text=text,
            signature=signer.sign(text.encode()).hex(),
            fingerprint=digest_file.fingerprint_of(digest_file.pkcs1_of(signer.public_key())),
            algorithm=digest_file.SIGNATURE_ALGORITHM,
        ),
        previous_size=growth.before.size,
        before=[value.hex() for value in growth.before.nodes],
        added=[node.hash.hex() for node in growth.added],
        leaves=growth.leaves,
    )
    pending = msgspec.structs.replace(chain.pending, tree=encode_tree(tree))
    return msgspec.structs.replace(chain, tree=growth.after, pending=pending)
