"""Digests against the heads that were anchored of them: what the bucket and the ledger cannot unsay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from opentrail.format import tree_head
from opentrail.model.digest import Head
from opentrail.model.report import Finding, Kind, Problem
from opentrail.pipeline.validate.chain import CheckedDigest
from opentrail.pipeline.validate.trees import CheckedTree

AN_ANCHOR = "of the anchored head"


def check_anchored(
    standard: Sequence[CheckedDigest],
    backfill: Sequence[CheckedDigest],
    trees: Sequence[CheckedTree],
    heads: Sequence[Head],
) -> list[Finding]:
    """Judge a chain's digests, its late ones and their trees against every head that was anchored.

    Args:
        standard: oldest first, as are the others.
        heads: of the same span of time; none where nothing is anchored.
    """
    findings = []
    for checked, of_kind in (
        (standard, [head for head in heads if not head.backfill]),
        (backfill, [head for head in heads if head.backfill]),
    ):
        findings += [*_digest_findings(checked, of_kind), *_strangers(checked, of_kind)]
    there = {c.stored.key for c in (*standard, *backfill) if c.stored.body is not None}
    return [*findings, *_tree_findings(trees, [head for head in heads if head.key in there])]


def _digest_findings(checked: Sequence[CheckedDigest], heads: Sequence[Head]) -> Iterator[Finding]:
    present = {c.stored.key: c for c in checked if c.stored.body is not None}
    lost = [head for head in heads if head.key not in present]
    for head in heads:
        found = present.get(head.key)
        if found is not None and found.sha256 != head.sha256:
            place = found.stored.bucket, found.stored.key
            yield Finding(Kind.DIGEST, *place, Problem.HASH_DIFFERS, AN_ANCHOR)
    newest = max((head.end for head in heads if head.key in present), default="")
    cut = [head for head in lost if head.end > newest]
    if newest and cut:
        last = next(head for head in heads if head.end == newest)
        detail = f"the head is {cut[-1].key}"
        yield Finding(Kind.DIGEST, last.bucket, last.key, Problem.MISSING_DIGESTS, detail)
    for head in lost:
        yield Finding(Kind.DIGEST, head.bucket, head.key, Problem.NOT_FOUND, "an anchored head")


def _strangers(checked: Sequence[CheckedDigest], heads: Sequence[Head]) -> Iterator[Finding]:
    """Digests between anchored ones that neither are anchored nor lie before one that is.

    What an anchored digest names as its predecessor is as good as anchored: its hash is.
    """
    if not heads:
        return
    vouched = {head.key for head in heads}
    for c in reversed(checked):
        if c.stored.key in vouched and c.digest is not None and c.digest.previous_key:
            vouched.add(c.digest.previous_key)
    first, last = min(head.end for head in heads), max(head.end for head in heads)
    for c in checked:
        if c.digest is not None and c.stored.key not in vouched and first < c.digest.end < last:
            yield Finding(Kind.DIGEST, c.stored.bucket, c.stored.key, Problem.NOT_ANCHORED)


def _tree_findings(trees: Sequence[CheckedTree], heads: Sequence[Head]) -> Iterator[Finding]:
    present = {tree.stored.key: tree for tree in trees}
    for head in heads:
        if not head.tree_root:
            continue
        key = tree_head.tree_key(head.key)
        found = present.get(key)
        if found is None or found.stored.body is None:
            yield Finding(Kind.TREE, head.bucket, key, Problem.NOT_FOUND, "an anchored head")
        elif found.head is not None and (found.head.size, found.head.root.hex()) != (
            head.tree_size,
            head.tree_root,
        ):
            yield Finding(Kind.TREE, found.stored.bucket, key, Problem.TREE_ROOT, AN_ANCHOR)
