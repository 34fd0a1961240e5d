"""Objects of the bucket that pass for others: copies, renames, another spelling."""

from __future__ import annotations

import gzip
import json

from opentrail.model.report import Problem
from tests.support.tampering.attack import attack
from tests.support.tampering.world import (
    DIGESTS,
    HOUR,
    REGION,
    START,
    World,
    digest_name,
    fingerprint,
    iso,
    pack,
)

# Log files


@attack("0")
def a_log_file_becomes_a_copy_of_another(world: World) -> tuple[Problem, str]:
    one, two = world.logs[0]
    world.objects[one] = world.objects[two]
    return Problem.HASH_DIFFERS, one


@attack("1")
def a_log_file_is_compressed_twice(world: World) -> tuple[Problem, str]:
    key = world.logs[1][0]
    world.objects[key] = pack(world.objects[key][0]), {}
    return Problem.HASH_DIFFERS, key


@attack("2")
def a_log_file_is_written_with_other_white_space(world: World) -> tuple[Problem, str]:
    key = world.logs[2][0]
    document = json.loads(gzip.decompress(world.objects[key][0]))
    world.objects[key] = pack(json.dumps(document, indent=1).encode()), {}
    return Problem.HASH_DIFFERS, key


@attack("3")
def a_log_file_is_renamed(world: World) -> tuple[Problem, str]:
    key = world.logs[3][0]
    world.objects[key.replace("D3F0", "D3F9")] = world.objects.pop(key)
    return Problem.NOT_FOUND, key


@attack("3")
def a_log_file_is_moved_to_another_region(world: World) -> tuple[Problem, str]:
    key = world.logs[3][1]
    world.objects[key.replace(REGION, "eu-west-1")] = world.objects.pop(key)
    return Problem.NOT_FOUND, key


@attack("5")
def all_log_files_of_an_hour_are_deleted(world: World) -> tuple[Problem, str]:
    for key in world.logs[5]:
        del world.objects[key]
    return Problem.NOT_FOUND, world.logs[5][1]


# Digests


@attack("1")
def a_digest_is_emptied(world: World) -> tuple[Problem, str]:
    world.objects[world.digests[1]] = b"", world.objects[world.digests[1]][1]
    return Problem.INVALID_FORMAT, world.digests[1]


@attack("1")
def a_digest_is_compressed_twice(world: World) -> tuple[Problem, str]:
    body, metadata = world.objects[world.digests[1]]
    world.objects[world.digests[1]] = pack(body), metadata
    return Problem.INVALID_FORMAT, world.digests[1]


@attack("1")
def a_digest_becomes_a_log_file(world: World) -> tuple[Problem, str]:
    world.objects[world.digests[1]] = world.objects[world.logs[1][0]][0], world.objects[world.digests[1]][1]
    return Problem.INVALID_FORMAT, world.digests[1]


@attack("2 3")
def two_digests_change_places(world: World) -> tuple[Problem, str]:
    one, two = world.digests[2:4]
    world.objects[one], world.objects[two] = world.objects[two], world.objects[one]
    return Problem.MOVED, one


@attack("2")
def a_digest_of_another_region_takes_anothers_place(world: World) -> tuple[Problem, str]:
    return Problem.MOVED, _replaced(world, 2, digest_name(START + 3 * HOUR).replace(REGION, "eu-west-1"))


@attack("2")
def a_digest_of_another_trail_takes_anothers_place(world: World) -> tuple[Problem, str]:
    return Problem.MOVED, _replaced(world, 2, digest_name(START + 3 * HOUR, trail="other"))


def _replaced(world: World, number: int, genuine: str) -> str:
    """Our digest of that hour, after a genuine one of another chain was put in its place."""
    key = world.digests[number]
    world.add_digest(genuine, START + number * HOUR, START + (number + 1) * HOUR, [], None)
    world.objects[key] = world.objects[genuine]
    return key


@attack("late0")
def a_digest_is_copied_into_the_future(world: World) -> tuple[Problem, str]:
    key = digest_name(START + 24 * 365 * 1000 * HOUR)
    world.objects[key] = world.objects[world.late[0]]
    return Problem.WRONG_WINDOW, key


@attack("late1")
def a_backfill_digest_passes_for_a_usual_one(world: World) -> tuple[Problem, str]:
    key = digest_name(START + 6 * HOUR + HOUR / 3)
    world.objects[key] = world.objects[world.late[1]]
    return Problem.MOVED, key


@attack("late1")
def a_backfill_digest_predates_its_own_window(world: World) -> tuple[Problem, str]:
    world.objects[world.late[1]][1]["backfill-generation-timestamp"] = iso(START)
    return Problem.WRONG_WINDOW, world.late[1]


@attack("late1")
def a_backfill_digest_claims_a_time_without_its_key(world: World) -> tuple[Problem, str]:
    world.objects[world.late[1]][1]["backfill-generation-timestamp"] = iso(START + 40 * 24 * HOUR)
    return Problem.KEY_OUTSIDE_WINDOW, world.late[1]


@attack("5 late0 late1")
def the_newest_backfill_digest_is_deleted(world: World) -> tuple[Problem, str]:
    del world.objects[world.late[1]]
    return Problem.NOT_LISTED, world.logs[105][0]


# Metadata


@attack("3")
def a_signature_is_written_in_capitals(world: World) -> tuple[Problem, str]:
    metadata = world.objects[world.digests[3]][1]
    metadata["signature"] = metadata["signature"].upper()
    return Problem.BAD_SIGNATURE, world.digests[3]


@attack("3")
def white_space_is_put_into_a_signature(world: World) -> tuple[Problem, str]:
    metadata = world.objects[world.digests[3]][1]
    metadata["signature"] = metadata["signature"][:2] + " " + metadata["signature"][2:]
    return Problem.BAD_SIGNATURE, world.digests[3]


@attack("3")
def a_signature_is_cut_short(world: World) -> tuple[Problem, str]:
    metadata = world.objects[world.digests[3]][1]
    metadata["signature"] = metadata["signature"][:-2]
    return Problem.BAD_SIGNATURE, world.digests[3]


@attack("3")
def the_algorithm_metadata_is_written_in_small_letters(world: World) -> tuple[Problem, str]:
    world.objects[world.digests[3]][1]["signature-algorithm"] = "sha256withrsa"
    return Problem.ALGORITHM, world.digests[3]


@attack("3")
def a_digest_names_its_key_in_capitals(world: World) -> tuple[Problem, str]:
    shouted = fingerprint("current").upper()
    world.rewrite(world.digests[3], lambda d: d.update(digestPublicKeyFingerprint=shouted))
    return Problem.UNKNOWN_KEY, world.digests[3]


@attack("6 7")
def the_two_newest_digests_are_deleted(world: World) -> tuple[Problem, str]:
    for key in world.digests[DIGESTS - 2 :]:
        del world.objects[key]
    return Problem.NOT_FOUND, world.digests[-1]
