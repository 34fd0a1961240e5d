"""Proofs hold for every record and every two heads, and for nothing that was changed."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opentrail.errors import FormatError, IntegrityError
from opentrail.format.proof import ConsistencyProof, InclusionProof, encode_proof, parse_proof
from opentrail.pipeline.validate import (
    CheckedTree,
    Reading,
    check_trees,
    collect,
    faults_of,
    find_record,
    prove_growth,
    prove_record,
)
from tests.support.tampering import START, World, make_world, pack

GENUINE = make_world()
KEYS = GENUINE.public_keys(START, START)
EVENTS = [
    json.loads(gzip.decompress(GENUINE.objects[key][0]))["Records"][0]["eventID"]
    for keys in GENUINE.logs.values()
    for key in keys
]


@cache
def _genuine_trees() -> list[CheckedTree]:
    return trees_of(GENUINE)


def trees_of(world: World) -> list[CheckedTree]:
    reading = Reading.begin(world, world, world.span())
    digests = [*collect(reading, backfill=False), *collect(reading, backfill=True)]
    return check_trees(reading, digests).checked


def prove(world: World, event_id: str, when: datetime | None = None) -> InclusionProof | None:
    reading = Reading.begin(world, world, world.span())
    checked = [*collect(reading, backfill=False), *collect(reading, backfill=True)]
    found = find_record(world, [c.digest for c in checked if c.digest], event_id, when)
    if found is None:
        return None
    (tree,) = check_trees(reading, [c for c in checked if c.digest is found.digest]).checked
    return prove_record(world, found, tree)


@cache
def genuine(event_id: str) -> InclusionProof:
    proof = prove(GENUINE, event_id)
    assert proof is not None
    return proof


@pytest.mark.parametrize("event_id", EVENTS)
def test_every_record_has_a_proof_that_holds(event_id: str) -> None:
    proof = genuine(event_id)

    assert json.loads(proof.record)["eventID"] == event_id
    assert faults_of(proof, KEYS) == []
    assert parse_proof(encode_proof(proof)) == proof


def test_only_files_that_may_hold_the_time_are_read() -> None:
    world = copy.deepcopy(GENUINE)
    world.objects.pop(world.logs[0][0])

    assert prove(world, EVENTS[-3], START + timedelta(hours=20)) is None
    assert prove(world, EVENTS[4], START + timedelta(hours=2, minutes=10)) is not None


def test_a_record_that_is_not_there_has_none() -> None:
    assert prove(GENUINE, "no such event") is None


def test_a_file_that_was_changed_proves_none_of_its_hour() -> None:
    world = copy.deepcopy(GENUINE)
    changed, other = world.logs[0]
    world.objects[changed] = pack(b'{"Records":[{"eventID":"forged"}]}'), {}

    for event_id in ("forged", json.loads(gzip.decompress(world.objects[other][0]))["Records"][0]["eventID"]):
        with pytest.raises(IntegrityError, match="do not make the tree"):
            prove(world, event_id)


@pytest.mark.parametrize(("older", "newer"), [(0, 0), (0, 1), (0, 7), (2, 5), (3, 4), (4, 7)])
def test_two_heads_are_proven_to_be_of_one_growing_tree(older: int, newer: int) -> None:
    proof = prove_growth(_genuine_trees()[older : newer + 1])

    assert faults_of(proof, KEYS) == []
    assert parse_proof(encode_proof(proof)) == proof


def test_a_head_missing_in_between_is_said() -> None:
    trees = _genuine_trees()

    with pytest.raises(IntegrityError, match="between the two is missing"):
        prove_growth([trees[0], trees[5]])


Change = Callable[[dict[str, Any]], Any]
CHANGES: dict[str, Change] = {
    "the record": lambda d: d.update(record=d["record"].replace("CreateUser", "DeleteUser")),
    "white space in the record": lambda d: d.update(record=d["record"] + " "),
    "the place": lambda d: d.update(index=d["index"] + 1),
    "a place outside": lambda d: d.update(index=-1),
    "a hash of the path": lambda d: d["path"].__setitem__(0, "0" * 64),
    "the path's end": lambda d: d["path"].pop(),
    "the path's case": lambda d: d["path"].__setitem__(0, d["path"][0].upper()),
    "a hash more": lambda d: d["path"].append("0" * 64),
    "the head's text": lambda d: d["head"].update(text=d["head"]["text"].replace("head 1", "head 2")),
    "the head's trail": lambda d: d["head"].update(text=d["head"]["text"].replace("main", "other")),
    "the head": lambda d: d.update(head=genuine_json("D7F0")["head"]),
    "the signature": lambda d: d["head"].update(signature="0" * 512),
    "the key": lambda d: d["head"].update(fingerprint="0" * 32),
    "the algorithm": lambda d: d["head"].update(algorithm="none"),
}


def genuine_json(event_id: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(encode_proof(genuine(event_id)))
    return document


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_proof_is_worthless_once_somebody_changes(change: Change) -> None:
    document = genuine_json("D0F0")

    change(document)

    assert faults_of(parse_proof(json.dumps(document).encode()), KEYS)


@settings(deadline=None, max_examples=60)
@given(place=st.integers(0), char=st.sampled_from('0aZ\\"{ ,1'))
def test_no_single_character_can_be_changed_unseen(place: int, char: str) -> None:
    text = encode_proof(genuine("D2F1")).decode()
    place %= len(text)
    changed = text[:place] + char + text[place + 1 :]

    try:
        proof = parse_proof(changed.encode())
    except FormatError:
        return
    assert faults_of(proof, KEYS) or proof == genuine("D2F1")


def test_heads_of_two_trails_are_not_consistent() -> None:
    trees = _genuine_trees()
    proof = prove_growth(trees[:3])
    swapped = ConsistencyProof(path=proof.path, older=proof.newer, newer=proof.older)

    assert faults_of(swapped, KEYS) == [
        "the heads are not an older and a newer one of one chain",
        "the newer tree does not begin with the older one",
    ]


def test_a_key_that_is_not_known_proves_nothing() -> None:
    (fault,) = faults_of(genuine("D0F0"), {})

    assert fault.startswith("public key not found in region us-east-1 for fingerprint ")


def test_a_key_that_had_expired_proves_nothing() -> None:
    late = World(windows={"current": (datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC))})
    keys = late.public_keys(datetime(2020, 1, 2, tzinfo=UTC), datetime(2020, 1, 2, tzinfo=UTC))

    assert faults_of(genuine("D0F0"), keys) == ["signed with a key that was not valid at its end time"]
