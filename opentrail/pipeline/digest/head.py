"""A chain with a decided digest -> the head that is written down of it."""

from __future__ import annotations

from opentrail.format import merkle
from opentrail.model.digest import Chain, Head, SealedDigest


def head_of(chain: Chain, sealed: SealedDigest) -> Head:
    """What the anchor gets to know of ``sealed``, the pending digest of ``chain``."""
    link = chain.backfill_head if sealed.generated else chain.head
    assert link is not None  # deciding the digest made it the head
    tree = chain.tree
    root = merkle.root_of(merkle.place_nodes(0, tree.size, tree.nodes)).hex()
    return Head(
        bucket=link.bucket,
        key=link.key,
        sha256=link.sha256,
        signature=link.signature,
        chain_id=chain.id,
        end=chain.backfill_end if sealed.generated else chain.end,
        backfill=bool(sealed.generated),
        tree_size=tree.size if sealed.tree else 0,
        tree_root=root if sealed.tree else "",
    )
