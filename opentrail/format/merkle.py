"""Merkle trees as RFC 6962 has them (section 2.1): hashes, roots and proofs. No I/O.

A tree is kept as nodes: perfect subtrees, each known by the leaves it covers.
Any run of leaves is covered by a few of them, so a tree of a billion leaves can
be continued from thirty hashes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

from opentrail.errors import FormatError

EMPTY_ROOT = sha256(b"").digest()
HASH_BYTES = 32


class Node(NamedTuple):
    """A perfect subtree: the leaves from ``begin`` up to, not including, ``end``, a power of two of them."""

    begin: int
    end: int
    hash: bytes


def leaf_hash(record: bytes) -> bytes:
    """The hash of one leaf."""
    return sha256(b"\x00" + record).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbours' parent."""
    return sha256(b"\x01" + left + right).digest()


def leaves(begin: int, records: Iterable[bytes]) -> Iterator[Node]:
    """Records as leaves, the first of them number ``begin``."""
    for index, record in enumerate(records, begin):
        yield Node(index, index + 1, leaf_hash(record))


def join(nodes: Iterable[Node]) -> list[Node]:
    """Neighbouring nodes, left to right -> the fewest nodes that cover the same leaves."""
    joined: list[Node] = []
    for node in nodes:
        joined.append(node)
        while len(joined) > 1 and _are_siblings(joined[-2], joined[-1]):
            right, left = joined.pop(), joined.pop()
            joined.append(Node(left.begin, right.end, node_hash(left.hash, right.hash)))
    return joined


def _are_siblings(left: Node, right: Node) -> bool:
    size = left.end - left.begin
    return right.end - right.begin == size and left.begin % (2 * size) == 0


def root_of(nodes: Iterable[Node]) -> bytes:
    """The root over nodes that cover a tree from its first leaf, or a subtree of one."""
    joined = join(nodes)
    if not joined:
        return EMPTY_ROOT
    root = joined[-1].hash
    for node in reversed(joined[:-1]):
        root = node_hash(node.hash, root)
    return root


def place_nodes(begin: int, end: int, hashes: Sequence[bytes]) -> list[Node]:
    """The hashes that ``join`` left of the leaves from ``begin`` to ``end``, with their places.

    Raises:
        FormatError: those leaves make another number of nodes.
    """
    places = list(_places(begin, end))
    if len(places) != len(hashes):
        raise FormatError(f"{len(hashes)} hashes for {len(places)} nodes")
    return [Node(first, last, value) for (first, last), value in zip(places, hashes, strict=True)]


def _places(begin: int, end: int) -> Iterator[tuple[int, int]]:
    while begin < end:
        size = 1 << ((end - begin).bit_length() - 1)
        if begin:
            size = min(size, begin & -begin)  # as large as its place allows
        yield begin, begin + size
        begin += size


def inclusion_proof(nodes: Sequence[Node], index: int, size: int) -> list[bytes]:
    """The audit path of leaf ``index`` in the tree of ``size`` leaves (RFC 6962, 2.1.1).

    Args:
        nodes: that cover the tree, left to right; the leaf itself is one of them.

    Raises:
        FormatError: the nodes do not cover the tree, or are too coarse beside the leaf.
    """
    return [_subtree(nodes, *place) for place in _path(index, 0, size)]


def _path(index: int, begin: int, end: int) -> list[tuple[int, int]]:
    if end - begin <= 1:
        return []
    middle = begin + _split(end - begin)
    if index < middle:
        return [*_path(index, begin, middle), (middle, end)]
    return [*_path(index, middle, end), (begin, middle)]


def consistency_proof(nodes: Sequence[Node], older: int, newer: int) -> list[bytes]:
    """The proof that the tree of ``older`` leaves is where that of ``newer`` began (RFC 6962, 2.1.2).

    Args:
        nodes: that cover the newer tree, left to right, with a boundary at ``older``.

    Raises:
        FormatError: the nodes do not cover the tree, or are too coarse.
    """
    if older in (0, newer):
        return []
    return [_subtree(nodes, *place) for place in _subproof(older, 0, newer, whole=True)]


def _subproof(older: int, begin: int, end: int, *, whole: bool) -> list[tuple[int, int]]:
    if older == end:
        return [] if whole else [(begin, end)]
    middle = begin + _split(end - begin)
    if older <= middle:
        return [*_subproof(older, begin, middle, whole=whole), (middle, end)]
    return [*_subproof(older, middle, end, whole=False), (begin, middle)]


def _split(size: int) -> int:
    """The largest power of two smaller than ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


def _subtree(nodes: Sequence[Node], begin: int, end: int) -> bytes:
    first = bisect_left(nodes, begin, key=lambda node: node.begin)
    inside = []
    reached = begin
    for node in nodes[first:]:
        if node.begin != reached or node.end > end:
            break
        inside.append(node)
        reached = node.end
    if reached != end:
        raise FormatError(f"no nodes for the leaves {begin} to {end}")
    return root_of(inside)


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a leaf's audit path leads to (RFC 9162, 2.1.3.2).

    Raises:
        FormatError: the path is not that of a leaf at this place.
    """
    if not 0 <= index < size:
        raise FormatError(f"leaf {index} of {size}")
    number, last, root = index, size - 1, leaf
    for value in path:
        if not last:
            raise FormatError("the path is too long")
        if number & 1 or number == last:
            root = node_hash(value, root)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            root = node_hash(root, value)
        number, last = number >> 1, last >> 1
    if last:
        raise FormatError("the path is too short")
    return root


def is_consistent(
    older: int, older_root: bytes, newer: int, newer_root: bytes, path: Sequence[bytes]
) -> bool:
    """True when the path proves that the older tree is where the newer one began (RFC 9162, 2.1.4.2)."""
    if older == newer:
        return not path and older_root == newer_root
    if older == 0:
        return not path and older_root == EMPTY_ROOT
    if older > newer or not path:
        return False
    values = list(path)
    if older & (older - 1) == 0:  # a perfect tree is its own first node
        values.insert(0, older_root)
    number, last = older - 1, newer - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    left = right = values[0]
    for value in values[1:]:
        if not last:
            return False
        if number & 1 or number == last:
            left, right = node_hash(value, left), node_hash(value, right)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            right = node_hash(right, value)
        number, last = number >> 1, last >> 1
    return not last and (left, right) == (older_root, newer_root)
