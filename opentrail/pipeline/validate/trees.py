"""Tree heads against their digests and against each other. A chain that has none is as good without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from opentrail.errors import FormatError
from opentrail.format import keys, merkle, times, tree_head
from opentrail.format.digest_file import BACKFILL_SUFFIX, SIGNATURE_ALGORITHM
from opentrail.format.tree_head import TreeFile
from opentrail.model.report import Finding, Kind, Problem
from opentrail.model.tree import SignedHead, TreeHead
from opentrail.pipeline.validate.chain import CheckedDigest
from opentrail.pipeline.validate.collect import Reading
from opentrail.pipeline.validate.signature import generated_at, verify_text
from opentrail.pipeline.validate.stored import PublicKey, StoredObject


class CheckedTree(msgspec.Struct, frozen=True, kw_only=True):
    """A tree object that was looked at by itself. ``head`` is ``None`` when it could not be read."""

    stored: StoredObject
    tree: TreeFile | None
    head: TreeHead | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Trees:
    """The verdict over a chain's trees."""

    checked: list[CheckedTree]
    findings: list[Finding]

    @property
    def invalid(self) -> int:
        """How many of them are not as they should be."""
        bad = {(finding.bucket, finding.key) for finding in self.findings}
        return sum((tree.stored.bucket, tree.stored.key) in bad for tree in self.checked)


def check_trees(reading: Reading, digests: Sequence[CheckedDigest]) -> Trees:
    """Judge the tree objects that lie beside ``digests``, and name those that should.

    From a chain's first head on every digest has one, and each tree continues
    the one before it. Where none is found nothing is missing: CloudTrail makes none.

    Args:
        digests: of one chain, oldest first.

    Raises:
        StorageError: one could not be fetched.
    """
    present = _tree_keys(reading, digests)
    beside = [c for c in digests if (c.stored.bucket, tree_head.tree_key(c.stored.key)) in present]
    places = [(c.stored.bucket, tree_head.tree_key(c.stored.key)) for c in beside]
    checked = [
        check_tree(stored, digest, reading.keys_for(digest.stored), reading.span.chain_id)
        for stored, digest in zip(reading.archive.fetch_all(places), beside, strict=True)
    ]
    by_digest = {c.stored.key: tree for c, tree in zip(beside, checked, strict=True)}
    findings = [finding for tree in checked for finding in tree.findings]
    return Trees(checked, [*findings, *_chain_findings(digests, by_digest)])


def _tree_keys(reading: Reading, digests: Sequence[CheckedDigest]) -> set[tuple[str, str]]:
    span = reading.span
    found = set()
    for bucket, prefix in dict.fromkeys(_locations(reading, digests)):
        folder = keys.digest_folder(prefix=prefix, organization=span.organization, place=span.place)
        listed = reading.archive.keys_under(bucket, tree_head.tree_key(folder))
        found |= {(bucket, key) for key in listed}
    return found


def _locations(reading: Reading, digests: Sequence[CheckedDigest]) -> Iterator[tuple[str, str]]:
    yield reading.span.bucket, reading.span.prefix
    for c in digests:
        try:
            yield c.stored.bucket, keys.parse_digest_key(c.stored.key).prefix
        except FormatError:
            continue


def check_tree(
    stored: StoredObject, digest: CheckedDigest, public_keys: Mapping[str, PublicKey], chain_id: str
) -> CheckedTree:
    """Judge one tree object by itself and against its digest."""
    if stored.body is None:
        return _unreadable(stored, Problem.NOT_FOUND)
    try:
        tree = tree_head.parse_tree(stored.body)
        head = tree_head.parse_head(tree.head.text)
        before, added = tree_head.nodes_of(tree, head.size)
    except FormatError as error:
        return _unreadable(stored, Problem.INVALID_FORMAT, str(error))
    problems = [
        *head_problems(head, tree.head, public_keys),
        *_digest_problems(head, tree, digest),
    ]
    if head.chain_id != chain_id:
        problems.append((Problem.WRONG_PLACE, f"it is of {head.chain_id}"))
    if merkle.root_of([*before, *added]) != head.root:
        problems.append((Problem.TREE_ROOT, ""))
    findings = tuple(_finding(stored, problem, detail) for problem, detail in problems)
    return CheckedTree(stored=stored, tree=tree, head=head, findings=findings)


def _digest_problems(head: TreeHead, tree: TreeFile, digest: CheckedDigest) -> Iterator[tuple[Problem, str]]:
    if (head.bucket, head.key) != (digest.stored.bucket, digest.stored.key):
        yield Problem.MOVED, f"it is of s3://{head.bucket}/{head.key}"
        return
    if digest.digest is None:
        return
    if (head.digest_sha256, head.made) != (digest.sha256, _made(digest.stored, digest.digest.end)):
        yield Problem.HASH_DIFFERS, "of the digest it was made for"
        return
    counted = sum(count for count in tree.leaves if count is not None)
    if len(tree.leaves) != len(digest.digest.files) or counted != head.size - tree.previous_size:
        yield Problem.TREE_ROOT, "it counts other records than its digest's files have"


def _made(stored: StoredObject, end: str) -> str:
    """When a digest was made. One that does not say is a finding by itself."""
    try:
        generated = generated_at(stored)
    except FormatError:
        return ""
    return end if generated is None else times.to_iso(times.from_epoch(generated))


def head_problems(
    head: TreeHead, signed: SignedHead, public_keys: Mapping[str, PublicKey]
) -> Iterator[tuple[Problem, str]]:
    """What is wrong with a head's signature: (problem, detail) each."""
    if signed.algorithm != SIGNATURE_ALGORITHM:
        yield Problem.ALGORITHM, ""
    key = public_keys.get(signed.fingerprint)
    if key is None:
        region = head.chain_id.rpartition("#")[2]
        yield Problem.UNKNOWN_KEY, f"in region {region} for fingerprint {signed.fingerprint}"
        return
    wrong = verify_text(signed.text.encode(), signed.signature, key)
    if wrong is not None:
        yield wrong
    if not key.valid_from <= times.from_iso(head.made).timestamp() <= key.valid_to:
        yield Problem.KEY_OUTSIDE_WINDOW, ""


def _chain_findings(
    digests: Sequence[CheckedDigest], by_digest: Mapping[str, CheckedTree]
) -> Iterator[Finding]:
    """Heads that are missing between or after others, and trees that do not continue the one before."""
    numbered = sorted(
        (tree for tree in by_digest.values() if tree.head is not None), key=lambda tree: _number(tree)
    )
    for older, newer in pairwise(numbered):
        yield from _break_between(older, newer)
    usual = [c for c in digests if not c.stored.key.endswith(BACKFILL_SUFFIX)]
    for c in usual[_first(usual, by_digest) :]:
        if c.stored.key not in by_digest:
            yield Finding(Kind.TREE, c.stored.bucket, tree_head.tree_key(c.stored.key), Problem.NOT_FOUND)


def _number(tree: CheckedTree) -> int:
    return tree.head.number if tree.head is not None else 0


def _first(usual: Sequence[CheckedDigest], by_digest: Mapping[str, CheckedTree]) -> int:
    """Where the chain's first head must lie, as far as the span goes back.

    A head's number counts those before it. What has a lower number than the
    first one beside a usual digest lies beside a backfill digest.
    """
    heads = ((i, by_digest[c.stored.key].head) for i, c in enumerate(usual) if c.stored.key in by_digest)
    found = next(((index, head.number) for index, head in heads if head is not None), None)
    if found is None:
        return len(usual)
    index, number = found
    of_backfill = sum(_number(tree) < number for tree in by_digest.values())
    return max(0, index - (number - 1 - of_backfill))


def _break_between(older: CheckedTree, newer: CheckedTree) -> Iterator[Finding]:
    if older.head is None or newer.head is None or newer.tree is None:
        return  # what could not be read is a finding already
    before, _ = tree_head.nodes_of(newer.tree, newer.head.size)
    begun = (older.head.number + 1, older.head.size, older.head.root)
    if (newer.head.number, newer.tree.previous_size, merkle.root_of(before)) != begun:
        detail = f"head {newer.head.number} after head {older.head.number}"
        yield _finding(newer.stored, Problem.TREE_LINK, detail)


def _finding(stored: StoredObject, problem: Problem, detail: str = "") -> Finding:
    return Finding(Kind.TREE, stored.bucket, stored.key, problem, detail)


def _unreadable(stored: StoredObject, problem: Problem, detail: str = "") -> CheckedTree:
    return CheckedTree(stored=stored, tree=None, head=None, findings=(_finding(stored, problem, detail),))
