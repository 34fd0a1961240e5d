"""What can be done with a signing key: what is signed anew is consistent in itself."""

from __future__ import annotations

import gzip
import json
from itertools import pairwise

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256, SHA512

from opentrail.model.report import Problem
from tests.support.tampering.attack import attack
from tests.support.tampering.world import (
    HOUR,
    REGION,
    START,
    World,
    digest_name,
    fingerprint,
    iso,
    key_pair,
)

PREVIOUS = (
    "previousDigestS3Bucket",
    "previousDigestS3Object",
    "previousDigestHashValue",
    "previousDigestHashAlgorithm",
    "previousDigestSignature",
)


@attack("3", needs="an old signing key")
def a_digest_is_signed_by_an_expired_key(world: World) -> tuple[Problem, str]:
    key = world.digests[3]
    world.resign(key, lambda d: d.update(digestPublicKeyFingerprint=fingerprint("expired")), by="expired")
    return Problem.KEY_OUTSIDE_WINDOW, key


@attack("3", needs="signing key")
def a_digest_is_signed_with_another_hash(world: World) -> tuple[Problem, str]:
    world.resign(world.digests[3], algorithm=SHA512())
    return Problem.BAD_SIGNATURE, world.digests[3]


@attack("3", needs="signing key")
def a_digest_names_another_algorithm(world: World) -> tuple[Problem, str]:
    world.resign(world.digests[3], lambda d: d.update(digestSignatureAlgorithm="SHA512withRSA"))
    return Problem.ALGORITHM, world.digests[3]


@attack("6", needs="signing key")
def a_signed_digest_names_another_previous_hash(world: World) -> tuple[Problem, str]:
    world.resign(world.digests[6], lambda d: d.update(previousDigestHashValue="0" * 64))
    return Problem.PREVIOUS_HASH, world.digests[6]


@attack("6", needs="signing key")
def a_signed_digest_names_another_previous_signature(world: World) -> tuple[Problem, str]:
    world.resign(world.digests[6], lambda d: d.update(previousDigestSignature="0" * 512))
    return Problem.PREVIOUS_SIGNATURE, world.digests[6]


@attack("6", needs="signing key")
def a_signed_digest_skips_its_predecessor(world: World) -> tuple[Problem, str]:
    before = world.digests[4]
    world.resign(world.digests[6], lambda d: d.update(previousDigestS3Object=before))
    return Problem.PREVIOUS_PLACE, world.digests[6]


@attack("6", needs="signing key")
def a_signed_digest_begins_too_late(world: World) -> tuple[Problem, str]:
    late = iso(START + 6 * HOUR + HOUR / 2)
    world.resign(world.digests[6], lambda d: d.update(digestStartTime=late))
    return Problem.NOT_CONTIGUOUS, world.digests[6]


@attack("6", needs="signing key")
def a_signed_digest_ends_before_it_begins(world: World) -> tuple[Problem, str]:
    late = iso(START + 9 * HOUR)
    world.resign(world.digests[6], lambda d: d.update(digestStartTime=late))
    return Problem.WRONG_WINDOW, world.digests[6]


@attack("6", needs="signing key")
def a_signed_digest_names_another_account(world: World) -> tuple[Problem, str]:
    world.resign(world.digests[6], lambda d: d.update(awsAccountId="210987654321"))
    return Problem.WRONG_PLACE, world.digests[6]


@attack("6", needs="signing key")
def a_signed_digest_names_wrong_event_times(world: World) -> tuple[Problem, str]:
    world.resign(world.digests[6], lambda d: d.update(oldestEventTime=iso(START - HOUR)))
    return Problem.WRONG_TIMES, world.digests[6]


@attack("0 6", needs="signing key")
def a_signed_digest_lists_a_file_of_another_one(world: World) -> tuple[Problem, str]:
    listed = world.digest(world.digests[0])["logFiles"][0]
    world.resign(world.digests[6], lambda d: d["logFiles"].append(listed))
    return Problem.LISTED_TWICE, listed["s3Object"]


@attack("6", needs="signing key")
def a_signed_digest_drops_a_file(world: World) -> tuple[Problem, str]:
    dropped = world.logs[6][0]
    world.resign(world.digests[6], lambda d: d["logFiles"].pop(0))
    return Problem.NOT_LISTED, dropped


@attack("6", needs="signing key")
def a_signed_digest_names_another_hash_algorithm(world: World) -> tuple[Problem, str]:
    world.resign(world.digests[6], lambda d: d["logFiles"][0].update(hashAlgorithm="MD5"))
    return Problem.ALGORITHM, world.digests[6]


@attack("6 7", needs="signing key")
def the_newest_digest_is_signed_anew_without_a_file(world: World) -> tuple[Problem, str]:
    world.resign(world.digests[-1], lambda d: d["logFiles"].pop(0))
    return Problem.HASH_DIFFERS, world.digests[-1]


@attack("5 6", needs="signing key")
def a_signed_digest_begins_a_new_chain(world: World) -> tuple[Problem, str]:
    world.resign(world.digests[5], lambda d: d.update(dict.fromkeys(PREVIOUS)))
    return Problem.PREVIOUS_HASH, world.digests[6]


@attack("3 4 5 6", needs="signing key")  # of what lay before it, only an anchor tells
def a_gap_is_made_to_look_like_a_stop(world: World) -> tuple[Problem, str]:
    del world.objects[world.digests[4]]
    world.resign(world.digests[5], lambda d: d.update(dict.fromkeys(PREVIOUS)))
    return Problem.PREVIOUS_SIGNATURE, world.digests[6]


@attack("5 6", needs="signing key")
def a_new_chain_overlaps_the_old_one(world: World) -> tuple[Problem, str]:
    early = {**dict.fromkeys(PREVIOUS), "digestStartTime": iso(START + 4 * HOUR + HOUR / 2)}
    world.resign(world.digests[5], lambda d: d.update(early))
    return Problem.NOT_CONTIGUOUS, world.digests[5]


@attack("6", needs="signing key")
def a_signed_digest_overlaps_the_one_before(world: World) -> tuple[Problem, str]:
    early = iso(START + 5 * HOUR + HOUR / 2)
    world.resign(world.digests[6], lambda d: d.update(digestStartTime=early))
    return Problem.NOT_CONTIGUOUS, world.digests[6]


@attack("6 7", needs="signing key")
def a_second_signed_digest_covers_an_hour(world: World) -> tuple[Problem, str]:
    begin, end = START + 7 * HOUR, START + 7 * HOUR + HOUR / 2
    world.add_digest(digest_name(end), begin, end, [], world.digests[6])
    return Problem.PREVIOUS_PLACE, world.digests[7]


@attack("6", needs="signing key")
def a_signed_digest_names_half_of_its_predecessor(world: World) -> tuple[Problem, str]:
    world.resign(world.digests[6], lambda d: d.update(previousDigestHashValue=None))
    return Problem.PREVIOUS_PLACE, world.digests[6]


@attack("6", needs="signing key")
def a_signed_digest_names_a_member_twice(world: World) -> tuple[Problem, str]:
    raw = json.dumps(world.digest(world.digests[6])).encode()
    world.put_raw(world.digests[6], raw.replace(b'{"awsAccountId"', b'{"logFiles": [], "awsAccountId"', 1))
    return Problem.INVALID_FORMAT, world.digests[6]


@attack("6", needs="signing key")
def a_signed_digest_begins_with_a_byte_order_mark(world: World) -> tuple[Problem, str]:
    raw = json.dumps(world.digest(world.digests[6])).encode()
    world.put_raw(world.digests[6], b"\xef\xbb\xbf" + raw)
    return Problem.INVALID_FORMAT, world.digests[6]


@attack("6", needs="signing key")
def a_signed_digest_writes_its_end_with_an_offset(world: World) -> tuple[Problem, str]:
    end = iso(START + 7 * HOUR).replace("Z", "+00:00")
    world.resign(world.digests[6], lambda d: d.update(digestEndTime=end))
    return Problem.INVALID_FORMAT, world.digests[6]


@attack("6", needs="signing key")
def a_signed_digest_writes_a_hash_in_capitals(world: World) -> tuple[Problem, str]:
    listed = world.digest(world.digests[6])["logFiles"][0]
    shouted = listed["hashValue"].upper()
    world.resign(world.digests[6], lambda d: d["logFiles"][0].update(hashValue=shouted))
    return Problem.HASH_DIFFERS, listed["s3Object"]


@attack("6", needs="signing key")
def a_signed_digest_writes_the_previous_hash_in_capitals(world: World) -> tuple[Problem, str]:
    shouted = world.hash_of(world.digests[5]).upper()
    world.resign(world.digests[6], lambda d: d.update(previousDigestHashValue=shouted))
    return Problem.PREVIOUS_HASH, world.digests[6]


@attack("6", needs="signing key")
def a_signed_digest_lists_a_file_of_another_region(world: World) -> tuple[Problem, str]:
    listed = world.digest(world.digests[6])["logFiles"][0]
    abroad = {**listed, "s3Object": listed["s3Object"].replace(REGION, "eu-west-1")}
    world.objects[abroad["s3Object"]] = world.objects[listed["s3Object"]]
    world.resign(world.digests[6], lambda d: d["logFiles"].append(abroad))
    return Problem.WRONG_PLACE, world.digests[6]


@attack("6", needs="signing key")
def a_signed_digest_lists_a_file_in_another_bucket(world: World) -> tuple[Problem, str]:
    kept = world.logs[6][0]
    world.resign(world.digests[6], lambda d: d["logFiles"][0].update(s3Bucket="elsewhere"))
    return Problem.NOT_LISTED, kept


@attack("6", needs="signing key")
def a_signed_digest_lists_a_file_twice(world: World) -> tuple[Problem, str]:
    listed = world.digest(world.digests[6])["logFiles"][0]
    world.resign(world.digests[6], lambda d: d["logFiles"].append(listed))
    return Problem.LISTED_TWICE, listed["s3Object"]


@attack("6 7", needs="signing key")
def a_signed_digest_lies_in_the_folder_of_another_day(world: World) -> tuple[Problem, str]:
    key = world.digests[6].replace("/2026/01/10/", "/2026/01/09/")
    document = {**world.digest(world.digests[6]), "digestS3Object": key}
    del world.objects[world.digests[6]]
    world.put_digest(key, document)
    return Problem.WRONG_PLACE, key


@attack("6", needs="signing key")
def a_digest_is_signed_with_other_padding(world: World) -> tuple[Problem, str]:
    key = world.digests[6]
    text = world.text_of(world.digest(key), gzip.decompress(world.objects[key][0]))
    pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.MAX_LENGTH)
    world.objects[key][1]["signature"] = key_pair("current").sign(text, pss, SHA256()).hex()
    return Problem.BAD_SIGNATURE, key


@attack("5 6 7", needs="signing key")
def the_end_of_the_chain_is_rewritten(world: World) -> tuple[Problem, str]:
    world.resign(world.digests[5], lambda d: d["logFiles"].pop())
    del world.objects[world.logs[5][1]]
    for older, newer in pairwise(world.digests[5:]):
        link = {
            "previousDigestHashValue": world.hash_of(older),
            "previousDigestSignature": world.objects[older][1]["signature"],
        }
        world.resign(newer, lambda d, link=link: d.update(link))  # type: ignore[misc]
    return Problem.HASH_DIFFERS, world.digests[-1]
