"""Tree heads beside the digests, and what can be done to them.

They are written from docs/proofs.md and RFC 6962 alone, not by the digest stage.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from opentrail.model.digest import Head
from opentrail.model.report import Problem
from tests.support.tampering.attack import attack
from tests.support.tampering.world import (
    ACCOUNT,
    ARN,
    BUCKET,
    DIGESTS,
    QUIET,
    REGION,
    World,
    fingerprint,
    key_pair,
    pack,
)

CHAIN = f"{ARN}#{ACCOUNT}#{REGION}"


def tree_of(digest_key: str) -> str:
    return digest_key.replace("CloudTrail-Digest", "OpenTrail-Tree")


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + mth(leaves[:half]) + mth(leaves[half:])).digest()


def perfect_subtrees(leaves: list[bytes], begin: int, end: int) -> list[str]:
    """The hashes of the fewest perfect subtrees over leaves ``begin`` to ``end``."""
    found = []
    while begin < end:
        size = 1
        while begin % (size * 2) == 0 and begin + size * 2 <= end:
            size *= 2
        found.append(mth(leaves[begin : begin + size]).hex())
        begin += size
    return found


def add_trees(world: World) -> None:
    """A tree object beside every digest, as a deployment that makes them would have written it."""
    leaves: list[bytes] = []
    world.anchored = []
    for number, key in enumerate((*world.digests, *world.late), 1):
        size = len(leaves)
        counts = []
        for listed in world.digest(key)["logFiles"]:
            (record,) = json.loads(gzip.decompress(world.objects[listed["s3Object"]][0]))["Records"]
            leaves.append(sha256(b"\x00" + json.dumps(record).encode()).digest())
            counts.append(1)
        sign_tree(
            world,
            key,
            head_text(world, key, number, leaves),
            previousTreeSize=size,
            before=perfect_subtrees(leaves, 0, size),
            added=perfect_subtrees(leaves, size, len(leaves)),
            leaves=counts,
        )
        anchor(world, key, leaves)


def anchor(world: World, key: str, leaves: list[bytes]) -> None:
    """Write a digest's head down, as the digest function does."""
    head = Head(
        bucket=BUCKET,
        key=key,
        sha256=world.hash_of(key),
        signature=world.objects[key][1]["signature"],
        chain_id=CHAIN,
        end=world.digest(key)["digestEndTime"],
        backfill=key in world.late,
        tree_size=len(leaves),
        tree_root=mth(leaves).hex(),
    )
    world.anchored.append(head)


def head_text(world: World, key: str, number: int, leaves: list[bytes]) -> str:
    root = base64.b64encode(mth(leaves)).decode()
    made = world.objects[key][1].get("backfill-generation-timestamp") or world.digest(key)["digestEndTime"]
    lines = [
        f"opentrail/{CHAIN}",
        str(len(leaves)),
        root,
        f"head {number}",
        f"made {made}",
        f"digest {world.hash_of(key)} s3://{BUCKET}/{key}",
    ]
    return "\n".join(lines) + "\n"


def sign_tree(world: World, key: str, text: str, by: str = "current", **rest: Any) -> None:
    head = {
        "text": text,
        "signature": key_pair(by).sign(text.encode(), padding.PKCS1v15(), SHA256()).hex(),
        "fingerprint": fingerprint(by),
        "algorithm": "SHA256withRSA",
    }
    world.objects[tree_of(key)] = pack(json.dumps({"version": 1, "head": head, **rest}).encode()), {}


def rewrite(world: World, number: int, change: Callable[[dict[str, Any]], Any]) -> str:
    """Change a tree object; its signature stays what it was."""
    key = tree_of(world.digests[number])
    document = world.digest(key)
    change(document)
    world.objects[key] = pack(json.dumps(document).encode()), {}
    return key


def resign(world: World, number: int, change: Callable[[str], str], by: str = "current", **more: Any) -> str:
    """Change what a head says and sign it anew."""
    document = world.digest(tree_of(world.digests[number]))
    text = change(document.pop("head")["text"])
    sign_tree(world, world.digests[number], text, by, **{**document, **more})
    return tree_of(world.digests[number])


@attack("2")
def a_tree_object_is_corrupt(world: World) -> tuple[Problem, str]:
    key = tree_of(world.digests[2])
    world.objects[key] = world.objects[key][0][:-9], {}
    return Problem.INVALID_FORMAT, key


@attack("1 2 3")
def a_tree_object_is_deleted(world: World) -> tuple[Problem, str]:
    key = tree_of(world.digests[2])
    del world.objects[key]
    return Problem.NOT_FOUND, key


@attack("everything")
def all_tree_objects_are_deleted(world: World) -> tuple[Problem, str]:
    for key in (*world.digests, *world.late):
        del world.objects[tree_of(key)]
    return Problem.NOT_FOUND, tree_of(world.digests[0])


@attack("0 1 2")
def the_first_tree_object_is_deleted(world: World) -> tuple[Problem, str]:
    key = tree_of(world.digests[0])
    del world.objects[key]
    return Problem.NOT_FOUND, key


@attack("5 6 7")
def the_newest_tree_objects_are_deleted(world: World) -> tuple[Problem, str]:
    for digest in world.digests[6:]:
        del world.objects[tree_of(digest)]
    return Problem.NOT_FOUND, tree_of(world.digests[DIGESTS - 1])


@attack("2")
def a_head_names_another_size(world: World) -> tuple[Problem, str]:
    text = world.digest(tree_of(world.digests[2]))["head"]["text"].replace("\n6\n", "\n5\n")
    return Problem.BAD_SIGNATURE, rewrite(world, 2, lambda d: d["head"].update(text=text))


@attack("2")
def a_head_says_more_than_a_head(world: World) -> tuple[Problem, str]:
    return Problem.INVALID_FORMAT, resign(world, 2, lambda text: text + "and more\n")


@attack("2")
def a_head_names_another_digest(world: World) -> tuple[Problem, str]:
    key = tree_of(world.digests[2])
    text = world.digest(key)["head"]["text"].replace(world.hash_of(world.digests[2]), "0" * 64)
    return Problem.BAD_SIGNATURE, rewrite(world, 2, lambda d: d["head"].update(text=text))


@attack("2 4")
def a_heads_signature_is_a_digests(world: World) -> tuple[Problem, str]:
    signature = world.objects[world.digests[QUIET]][1]["signature"]
    return Problem.BAD_SIGNATURE, rewrite(world, 2, lambda d: d["head"].update(signature=signature))


@attack("2 3")
def two_tree_objects_change_places(world: World) -> tuple[Problem, str]:
    one, two = (tree_of(key) for key in world.digests[2:4])
    world.objects[one], world.objects[two] = world.objects[two], world.objects[one]
    return Problem.MOVED, one


@attack("2")
def a_trees_nodes_are_changed(world: World) -> tuple[Problem, str]:
    return Problem.TREE_ROOT, rewrite(world, 2, lambda d: d["before"].__setitem__(0, "0" * 64))


@attack("2")
def a_tree_counts_other_records(world: World) -> tuple[Problem, str]:
    return Problem.TREE_ROOT, rewrite(world, 2, lambda d: d.update(leaves=[3, 1]))


@attack("2")
def a_head_is_signed_by_an_unknown_key(world: World) -> tuple[Problem, str]:
    return Problem.UNKNOWN_KEY, resign(world, 2, lambda text: text, by="thief")


@attack("3", needs="an old signing key")
def a_head_is_signed_by_an_expired_key(world: World) -> tuple[Problem, str]:
    return Problem.KEY_OUTSIDE_WINDOW, resign(world, 3, lambda text: text, by="expired")


@attack("2 3", needs="signing key")
def a_signed_head_forgets_what_was_before(world: World) -> tuple[Problem, str]:
    document = world.digest(tree_of(world.digests[2]))
    forged = [sha256(name.encode()).digest() for name in world.logs[0] + world.logs[1]]
    root = base64.b64encode(
        sha256(b"\x01" + mth(forged) + bytes.fromhex(document["added"][0])).digest()
    ).decode()

    def change(text: str) -> str:
        lines = text.split("\n")
        return "\n".join([*lines[:2], root, *lines[3:]])

    key = resign(world, 2, change, before=[mth(forged).hex()])
    return Problem.TREE_LINK, key


@attack("2", needs="signing key")
def a_signed_head_is_of_another_trail(world: World) -> tuple[Problem, str]:
    return Problem.WRONG_PLACE, resign(world, 2, lambda text: text.replace("trail/main", "trail/other"))
