"""What one can hide who may write the ledger, too: its head goes along. The anchor's does not."""

from __future__ import annotations

from opentrail.model.report import Problem
from tests.support.tampering.attack import attack
from tests.support.tampering.trees import tree_of
from tests.support.tampering.with_the_key import the_end_of_the_chain_is_rewritten
from tests.support.tampering.world import World


def cut(world: World, digest: str, logs: list[str]) -> None:
    """Take away a digest with all that belongs to it."""
    for key in (digest, tree_of(digest), *logs):
        del world.objects[key]


@attack("5 6 7", needs="bucket and ledger")
def the_tail_is_cut_and_the_ledger_says_so(world: World) -> tuple[Problem, str]:
    for number in (6, 7):
        cut(world, world.digests[number], world.logs[number])
    world.head = world.link_of(world.digests[5])
    return Problem.NOT_FOUND, world.digests[7]


@attack("everything", needs="bucket and ledger")
def all_is_deleted_and_the_ledger_emptied(world: World) -> tuple[Problem, str]:
    world.objects.clear()
    world.head = None
    return Problem.NOT_FOUND, world.digests[0]


@attack("late1", needs="bucket and ledger")
def the_newest_late_file_is_deleted_with_its_digest(world: World) -> tuple[Problem, str]:
    cut(world, world.late[-1], world.logs[105])
    return Problem.NOT_FOUND, world.late[-1]


@attack("6 7", needs="bucket and ledger")  # the digest function signs an hour again that the ledger forgot
def the_newest_hour_is_sealed_anew_without_a_file(world: World) -> tuple[Problem, str]:
    hidden = world.logs[7][0]
    del world.objects[hidden]
    world.resign(world.digests[7], lambda d: d["logFiles"].pop(0))
    world.head = world.link_of(world.digests[7])
    return Problem.HASH_DIFFERS, world.digests[7]


@attack("5 6 7", needs="signing key and ledger")
def the_end_is_rewritten_and_the_ledger_says_so(world: World) -> tuple[Problem, str]:
    found: tuple[Problem, str] = the_end_of_the_chain_is_rewritten(world)
    world.head = world.link_of(world.digests[-1])
    return found
