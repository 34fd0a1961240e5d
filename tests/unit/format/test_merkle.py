"""Merkle trees against the published example, and proofs against every tamperer hypothesis thinks of."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.errors import FormatError
from opentrail.format import merkle
from opentrail.format.merkle import Node

# The eight inputs that Certificate Transparency's implementations share, and the roots over the first
# one, two, ... eight of them.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOT_OF_EIGHT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"

sizes = st.integers(1, 70)


def tree(size: int) -> list[Node]:
    return list(merkle.leaves(0, [b"%d" % number for number in range(size)]))


def naive_root(hashes: list[bytes]) -> bytes:
    """MTH, word for word as RFC 6962 defines it."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    half = 1
    while half * 2 < len(hashes):
        half *= 2
    return sha256(b"\x01" + naive_root(hashes[:half]) + naive_root(hashes[half:])).digest()


def test_the_published_example() -> None:
    assert merkle.root_of(merkle.leaves(0, INPUTS)).hex() == ROOT_OF_EIGHT


def test_the_empty_leaf_and_the_empty_tree_of_the_published_example() -> None:
    assert merkle.leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.root_of([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_example_of_rfc_6962_has_the_paths_it_prints() -> None:
    """Section 2.1.3: seven leaves d0 to d6; the audit paths and consistency proofs by the names there."""
    a, b, c, d, e, f, j = nodes = tree(7)
    g, h, i = (merkle.root_of(pair) for pair in ([a, b], [c, d], [e, f]))
    k, last = merkle.root_of([a, b, c, d]), merkle.root_of([e, f, j])

    assert merkle.inclusion_proof(nodes, 0, 7) == [b.hash, h, last]
    assert merkle.inclusion_proof(nodes, 3, 7) == [c.hash, g, last]
    assert merkle.inclusion_proof(nodes, 4, 7) == [f.hash, j.hash, k]
    assert merkle.inclusion_proof(nodes, 6, 7) == [i, k]
    assert merkle.consistency_proof(nodes, 3, 7) == [c.hash, d.hash, g, last]
    assert merkle.consistency_proof(nodes, 4, 7) == [last]
    assert merkle.consistency_proof(nodes, 6, 7) == [i, j.hash, k]


@given(size=st.integers(0, 70))
def test_a_root_is_what_the_definition_says(size: int) -> None:
    assert merkle.root_of(tree(size)) == naive_root([node.hash for node in tree(size)])


@given(size=sizes, data=st.data())
def test_a_tree_is_continued_from_its_nodes_alone(size: int, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, size))
    before = merkle.join(tree(size)[:cut])

    kept = merkle.place_nodes(0, cut, [node.hash for node in before])

    assert kept == before
    assert merkle.root_of([*kept, *tree(size)[cut:]]) == merkle.root_of(tree(size))


@given(size=sizes, data=st.data())
def test_every_leaf_is_proven_from_what_a_digest_keeps(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    begin = data.draw(st.integers(0, index))
    nodes = tree(size)

    path = merkle.inclusion_proof([*merkle.join(nodes[:begin]), *nodes[begin:]], index, size)

    assert merkle.root_by_inclusion(nodes[index].hash, index, size, path) == merkle.root_of(nodes)


@given(size=st.integers(2, 70), data=st.data())
def test_a_changed_inclusion_proof_proves_nothing(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    nodes = tree(size)
    path = merkle.inclusion_proof(nodes, index, size)
    wrong = data.draw(changed(path))
    place = data.draw(st.integers(-1, size + 1).filter(lambda other: other != index))

    assert not leads_to(merkle.root_of(nodes), nodes[index].hash, index, size, wrong)
    assert not leads_to(merkle.root_of(nodes), nodes[index].hash, place, size, path)


def changed(path: list[bytes]) -> st.SearchStrategy[list[bytes]]:
    """A path with a hash replaced, dropped, doubled, or added."""
    number = st.integers(0, len(path) - 1)
    return st.one_of(
        number.map(lambda i: [*path[:i], bytes(32), *path[i + 1 :]]),
        number.map(lambda i: [*path[:i], *path[i + 1 :]]),
        number.map(lambda i: [*path[:i], path[i], *path[i:]]),
        st.just([*path, bytes(32)]),
    )


def leads_to(root: bytes, leaf: bytes, index: int, size: int, path: list[bytes]) -> bool:
    try:
        return merkle.root_by_inclusion(leaf, index, size, path) == root
    except FormatError:
        return False


@given(newer=sizes, data=st.data())
def test_every_two_heads_are_consistent(newer: int, data: st.DataObject) -> None:
    older = data.draw(st.integers(0, newer))
    nodes = tree(newer)
    kept = [*merkle.join(nodes[:older]), *merkle.join(nodes[older:])]

    path = merkle.consistency_proof(kept, older, newer)

    assert merkle.is_consistent(older, merkle.root_of(nodes[:older]), newer, merkle.root_of(nodes), path)


@given(newer=st.integers(2, 70), data=st.data())
def test_a_rewritten_beginning_is_not_consistent(newer: int, data: st.DataObject) -> None:
    older = data.draw(st.integers(1, newer - 1))
    nodes = tree(newer)
    path = merkle.consistency_proof(nodes, older, newer)
    roots = merkle.root_of(nodes[:older]), merkle.root_of(nodes)

    assert not merkle.is_consistent(older, bytes(32), newer, roots[1], path)
    assert not merkle.is_consistent(older, roots[0], newer, bytes(32), path)
    assert not merkle.is_consistent(older, roots[0], newer, roots[1], data.draw(changed(path)))
    assert not merkle.is_consistent(newer, roots[1], older, roots[0], path)


def test_nodes_that_do_not_reach_far_enough_prove_nothing() -> None:
    with pytest.raises(FormatError, match="no nodes for the leaves 2 to 4"):
        merkle.inclusion_proof(tree(3), 0, 4)
    with pytest.raises(FormatError, match="2 hashes for 1 nodes"):
        merkle.place_nodes(0, 4, [bytes(32)] * 2)
