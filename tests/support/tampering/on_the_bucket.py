"""What can be done with nothing but write access to the bucket."""

from __future__ import annotations

import gzip
from datetime import timedelta

from opentrail.model.report import Problem
from tests.support.tampering.attack import attack
from tests.support.tampering.world import (
    ACCOUNT,
    DIGESTS,
    HOUR,
    QUIET,
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
def a_record_of_a_log_file_is_changed(world: World) -> tuple[Problem, str]:
    key = world.logs[0][0]
    body = gzip.decompress(world.objects[key][0]).replace(b"CreateUser", b"DeleteUser")
    world.objects[key] = pack(body), {}
    return Problem.HASH_DIFFERS, key


@attack("0")
def a_log_file_is_deleted(world: World) -> tuple[Problem, str]:
    key = world.logs[0][1]
    del world.objects[key]
    return Problem.NOT_FOUND, key


@attack("1")
def a_log_file_is_emptied(world: World) -> tuple[Problem, str]:
    key = world.logs[1][0]
    world.objects[key] = b"", {}
    return Problem.HASH_DIFFERS, key


@attack("1")
def a_log_file_is_cut_short(world: World) -> tuple[Problem, str]:
    key = world.logs[1][1]
    world.objects[key] = world.objects[key][0][:-9], {}
    return Problem.INVALID_FORMAT, key


@attack("2")
def a_log_file_is_replaced_by_plain_json(world: World) -> tuple[Problem, str]:
    key = world.logs[2][0]
    world.objects[key] = gzip.decompress(world.objects[key][0]), {}
    return Problem.INVALID_FORMAT, key


@attack("2")
def bytes_follow_a_log_files_gzip_stream(world: World) -> tuple[Problem, str]:
    key = world.logs[2][1]
    world.objects[key] = world.objects[key][0] + b"more", {}
    return Problem.TRAILING_DATA, key


@attack("3")
def a_second_gzip_member_follows_in_a_log_file(world: World) -> tuple[Problem, str]:
    key = world.logs[3][0]
    world.objects[key] = world.objects[key][0] + pack(b'{"Records":[]}'), {}
    return Problem.TRAILING_DATA, key


@attack("3")
def a_log_file_becomes_an_empty_one(world: World) -> tuple[Problem, str]:
    key = world.logs[3][1]
    world.objects[key] = pack(b'{"Records":[]}'), {}
    return Problem.HASH_DIFFERS, key


@attack("5")
def two_log_files_change_places(world: World) -> tuple[Problem, str]:
    one, two = world.logs[5]
    world.objects[one], world.objects[two] = world.objects[two], world.objects[one]
    return Problem.HASH_DIFFERS, one


@attack("late0")
def a_late_log_file_is_changed(world: World) -> tuple[Problem, str]:
    key = world.logs[101][0]
    world.objects[key] = pack(b'{"Records":[{}]}'), {}
    return Problem.HASH_DIFFERS, key


@attack("2")
def a_log_file_is_added(world: World) -> tuple[Problem, str]:
    return Problem.NOT_LISTED, world.put_log(START + 2 * HOUR + timedelta(minutes=14), "EVIL")


@attack("4")
def a_log_file_is_added_to_a_quiet_hour(world: World) -> tuple[Problem, str]:
    return Problem.NOT_LISTED, world.put_log(START + QUIET * HOUR + timedelta(minutes=14), "QUIET")


@attack("odd")
def a_file_with_an_odd_name_is_added(world: World) -> tuple[Problem, str]:
    key = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/01/10/evil.json.gz"
    world.objects[key] = pack(b'{"Records":[]}'), {}
    return Problem.NOT_LISTED, key


@attack("2")
def a_forged_digest_of_another_trail_lists_an_added_file(world: World) -> tuple[Problem, str]:
    begin, end = START + 2 * HOUR, START + 3 * HOUR
    name = world.put_log(begin + timedelta(minutes=24), "HIDDEN")
    key = digest_name(end, trail="other")
    world.add_digest(key, begin, end, [name], None)
    world.resign(key, by="thief")
    return Problem.NOT_LISTED, name


# Digests: their bytes


@attack("1")
def a_digest_is_not_gzip_any_more(world: World) -> tuple[Problem, str]:
    key = world.digests[1]
    body, metadata = world.objects[key]
    world.objects[key] = gzip.decompress(body), metadata
    return Problem.INVALID_FORMAT, key


@attack("1")
def a_digest_is_corrupt(world: World) -> tuple[Problem, str]:
    key = world.digests[1]
    body, metadata = world.objects[key]
    world.objects[key] = body[:-9], metadata
    return Problem.INVALID_FORMAT, key


@attack("1")
def a_digest_lacks_a_member(world: World) -> tuple[Problem, str]:
    world.rewrite(world.digests[1], lambda d: d.pop("previousDigestSignature"))
    return Problem.INVALID_FORMAT, world.digests[1]


@attack("1")
def bytes_follow_a_digests_gzip_stream(world: World) -> tuple[Problem, str]:
    key = world.digests[1]
    body, metadata = world.objects[key]
    world.objects[key] = body + b"more", metadata
    return Problem.TRAILING_DATA, key


@attack("2")
def a_file_is_taken_off_a_digest(world: World) -> tuple[Problem, str]:
    world.rewrite(world.digests[2], lambda d: d["logFiles"].pop())
    return Problem.BAD_SIGNATURE, world.digests[2]


@attack("2")
def a_hash_in_a_digest_is_changed(world: World) -> tuple[Problem, str]:
    world.rewrite(world.digests[2], lambda d: d["logFiles"][0].update(hashValue="0" * 64))
    return Problem.BAD_SIGNATURE, world.digests[2]


@attack("2")
def a_digests_end_time_is_changed(world: World) -> tuple[Problem, str]:
    world.rewrite(world.digests[2], lambda d: d.update(digestEndTime=iso(START)))
    return Problem.BAD_SIGNATURE, world.digests[2]


@attack("2")
def a_digest_is_rewritten_with_other_white_space(world: World) -> tuple[Problem, str]:
    world.rewrite(world.digests[2], lambda d: None)
    return Problem.BAD_SIGNATURE, world.digests[2]


# Digests: metadata and keys


@attack("3")
def a_signature_is_removed(world: World) -> tuple[Problem, str]:
    del world.objects[world.digests[3]][1]["signature"]
    return Problem.BAD_SIGNATURE, world.digests[3]


@attack("3 4")
def a_signature_is_another_digests(world: World) -> tuple[Problem, str]:
    other = world.objects[world.digests[QUIET]][1]["signature"]
    world.objects[world.digests[3]][1]["signature"] = other
    return Problem.BAD_SIGNATURE, world.digests[3]


@attack("3")
def a_signature_is_no_hexadecimal_number(world: World) -> tuple[Problem, str]:
    world.objects[world.digests[3]][1]["signature"] = "xyz"
    return Problem.BAD_SIGNATURE, world.digests[3]


@attack("3")
def the_algorithm_metadata_is_removed(world: World) -> tuple[Problem, str]:
    del world.objects[world.digests[3]][1]["signature-algorithm"]
    return Problem.BAD_SIGNATURE, world.digests[3]


@attack("3")
def the_algorithm_metadata_is_changed(world: World) -> tuple[Problem, str]:
    world.objects[world.digests[3]][1]["signature-algorithm"] = "SHA512withRSA"
    return Problem.ALGORITHM, world.digests[3]


@attack("3")
def a_digest_is_signed_by_an_unknown_key(world: World) -> tuple[Problem, str]:
    key = world.digests[3]
    world.resign(key, lambda d: d.update(digestPublicKeyFingerprint=fingerprint("thief")), by="thief")
    return Problem.UNKNOWN_KEY, key


@attack("3")
def a_digest_is_signed_by_an_unknown_key_under_a_known_name(world: World) -> tuple[Problem, str]:
    world.resign(world.digests[3], by="thief")
    return Problem.BAD_SIGNATURE, world.digests[3]


# Digests: presence and place


@attack("1 2 3")
def a_digest_is_deleted(world: World) -> tuple[Problem, str]:
    del world.objects[world.digests[2]]
    return Problem.NOT_FOUND, world.digests[2]


@attack("1 2 3")
def three_consecutive_digests_are_deleted(world: World) -> tuple[Problem, str]:
    for number in (1, 2, 3):
        del world.objects[world.digests[number]]
    return Problem.NOT_FOUND, world.digests[1]


@attack("0 1")  # digest 1 alone tells that there was one before it
def the_oldest_digest_is_deleted(world: World) -> tuple[Problem, str]:
    del world.objects[world.digests[0]]
    return Problem.NOT_FOUND, world.digests[0]


@attack("6 7")
def the_newest_digest_is_deleted(world: World) -> tuple[Problem, str]:
    del world.objects[world.digests[-1]]
    return Problem.NOT_FOUND, world.digests[-1]


@attack("6 7")
def the_newest_digests_and_their_log_files_are_deleted(world: World) -> tuple[Problem, str]:
    for number in (DIGESTS - 2, DIGESTS - 1):
        for key in (world.digests[number], *world.logs[number]):
            del world.objects[key]
    return Problem.NOT_FOUND, world.digests[-2]


@attack("everything")
def all_digests_are_deleted(world: World) -> tuple[Problem, str]:
    for key in (*world.digests, *world.late):
        del world.objects[key]
    return Problem.NOT_FOUND, world.digests[-1]


@attack("5")
def a_digest_is_copied_to_another_hour(world: World) -> tuple[Problem, str]:
    key = digest_name(START + 5 * HOUR + HOUR / 2)
    world.objects[key] = world.objects[world.digests[5]]
    return Problem.MOVED, key


@attack("4 5")
def a_digest_takes_anothers_place(world: World) -> tuple[Problem, str]:
    world.objects[world.digests[5]] = world.objects[world.digests[QUIET]]
    return Problem.MOVED, world.digests[5]


# Backfill digests


@attack("late0")
def a_backfill_digest_does_not_say_when_it_was_made(world: World) -> tuple[Problem, str]:
    del world.objects[world.late[0]][1]["backfill-generation-timestamp"]
    return Problem.INVALID_FORMAT, world.late[0]


@attack("late0")
def a_backfill_digest_is_deleted(world: World) -> tuple[Problem, str]:
    del world.objects[world.late[0]]
    return Problem.NOT_FOUND, world.late[0]


@attack("late1")
def a_backfill_digest_lists_another_hash(world: World) -> tuple[Problem, str]:
    world.rewrite(world.late[1], lambda d: d["logFiles"][0].update(hashValue="0" * 64))
    return Problem.BAD_SIGNATURE, world.late[1]
