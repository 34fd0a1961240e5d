"""Trees -> proofs of single records and of heads, and what a proof is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from opentrail.errors import FormatError, IntegrityError
from opentrail.format import log_file, loose, merkle, times, tree_head
from opentrail.format.digest_file import Digest, ListedFile
from opentrail.format.proof import ConsistencyProof, InclusionProof, Proof
from opentrail.format.tree_head import TreeFile
from opentrail.model.tree import SignedHead, TreeHead
from opentrail.pipeline.validate.ports import Archive
from opentrail.pipeline.validate.stored import PublicKey
from opentrail.pipeline.validate.trees import CheckedTree, head_problems

AT_ONCE = 16  # log files in memory
_SECOND = timedelta(seconds=1)  # log files are listed with whole seconds


@dataclass(frozen=True, slots=True)
class Found:
    """A record, and where it stands: which file of its digest, which record of that file."""

    digest: Digest
    file: int
    index: int
    record: bytes


def find_record(
    archive: Archive, digests: Sequence[Digest], event_id: str, when: datetime | None
) -> Found | None:
    """Look for a record in the files that ``digests`` list; those that cannot hold its time are not read.

    Raises:
        StorageError: a file could not be read.
    """
    for digest in digests:
        numbers = [i for i, file in enumerate(digest.files) if _may_hold(file, when)]
        bodies = _bodies(archive, [digest.files[i] for i in numbers])
        for number, body in zip(numbers, bodies, strict=True):
            for index, record in enumerate(_records(body) or []):
                if event_id.encode() in record and _event_id(record) == event_id:
                    return Found(digest, number, index, record)
    return None


def _may_hold(file: ListedFile, when: datetime | None) -> bool:
    if when is None or not file.oldest or not file.newest:
        return True
    return file.oldest <= times.to_iso(when + _SECOND) and times.to_iso(when - _SECOND) <= file.newest


def _event_id(record: bytes) -> str | None:
    try:
        return loose.texts_of(loose.read_members(record)).get("eventID")
    except msgspec.DecodeError:
        return None


def _bodies(archive: Archive, files: Sequence[ListedFile]) -> Iterator[bytes | None]:
    for start in range(0, len(files), AT_ONCE):
        places = [(file.bucket, file.key) for file in files[start : start + AT_ONCE]]
        yield from (stored.body for stored in archive.fetch_all(places))


def _records(body: bytes | None) -> list[bytes] | None:
    try:
        return log_file.split_records(log_file.decompress(body or b""))
    except FormatError:
        return None


def prove_record(archive: Archive, found: Found, tree: CheckedTree) -> InclusionProof:
    """The proof that ``found`` is in the tree of the head beside its digest.

    The digest's files are read once more, and nothing else of the trail: the
    tree object knows what came before.

    Raises:
        StorageError: a file could not be read.
        IntegrityError: the files do not make the tree that was signed.
    """
    stored, head = _verified(tree)
    if stored.leaves[found.file] is None:
        raise IntegrityError("its log file could not be read when its digest was made, and is in no tree")
    nodes, _ = tree_head.nodes_of(stored, head.size)
    begin, place = stored.previous_size, -1
    for number, body in enumerate(_bodies(archive, found.digest.files)):
        if stored.leaves[number] is None:
            continue
        leaves = list(merkle.leaves(begin, _records(body) or []))
        if number == found.file:
            place = begin + found.index
        nodes += leaves if number == found.file else merkle.join(leaves)
        begin += len(leaves)
    if merkle.root_of(nodes) != head.root:
        raise IntegrityError("the log files of its digest do not make the tree that was signed")
    path = merkle.inclusion_proof(nodes, place, head.size)
    return InclusionProof(
        record=found.record.decode(),
        index=place,
        path=[value.hex() for value in path],
        head=stored.head,
    )


def prove_growth(trees: Sequence[CheckedTree]) -> ConsistencyProof:
    """The proof that the last one's tree begins with the first one's.

    Args:
        trees: of one chain, every one from the older head to the newer, in order.

    Raises:
        IntegrityError: one of them does not verify, or one between is missing.
    """
    verified = [_verified(tree) for tree in trees]
    (first, older), (last, newer) = verified[0], verified[-1]
    before, added = tree_head.nodes_of(first, older.size)
    nodes = merkle.join([*before, *added])
    for stored, head in verified[1:]:
        nodes += tree_head.nodes_of(stored, head.size)[1]
    try:
        path = merkle.consistency_proof(nodes, older.size, newer.size)
    except FormatError as error:
        raise IntegrityError(f"a tree head between the two is missing: {error}") from error
    return ConsistencyProof(path=[value.hex() for value in path], older=first.head, newer=last.head)


def _verified(tree: CheckedTree) -> tuple[TreeFile, TreeHead]:
    if tree.findings or tree.tree is None or tree.head is None:
        raise IntegrityError(f"a tree head does not verify: {'; '.join(map(str, tree.findings))}")
    return tree.tree, tree.head


def faults_of(proof: Proof, public_keys: Mapping[str, PublicKey]) -> list[str]:
    """Why a proof proves nothing; empty when it holds."""
    if isinstance(proof, InclusionProof):
        return _inclusion_faults(proof, public_keys)
    return _consistency_faults(proof, public_keys)


def _inclusion_faults(proof: InclusionProof, public_keys: Mapping[str, PublicKey]) -> list[str]:
    try:
        head = tree_head.parse_head(proof.head.text)
        leaf = merkle.leaf_hash(proof.record.encode())
        root = merkle.root_by_inclusion(leaf, proof.index, head.size, tree_head.from_hex(proof.path))
    except FormatError as error:
        return [str(error)]
    faults = _head_faults(head, proof.head, public_keys)
    if root != head.root:
        faults.append("the record is not in the tree that was signed")
    return faults


def _consistency_faults(proof: ConsistencyProof, public_keys: Mapping[str, PublicKey]) -> list[str]:
    try:
        older, newer = tree_head.parse_head(proof.older.text), tree_head.parse_head(proof.newer.text)
        path = tree_head.from_hex(proof.path)
    except FormatError as error:
        return [str(error)]
    faults = [*_head_faults(older, proof.older, public_keys), *_head_faults(newer, proof.newer, public_keys)]
    if older.chain_id != newer.chain_id or older.number > newer.number:
        faults.append("the heads are not an older and a newer one of one chain")
    if not merkle.is_consistent(older.size, older.root, newer.size, newer.root, path):
        faults.append("the newer tree does not begin with the older one")
    return faults


def _head_faults(head: TreeHead, signed: SignedHead, public_keys: Mapping[str, PublicKey]) -> list[str]:
    return [f"{problem} {detail}".strip() for problem, detail in head_problems(head, signed, public_keys)]
