"""A trail whose bucket an attacker holds: what it looks like, and forty-odd ways to change it.

The trail is written here from the published format alone, not by the digest
stage, so that writer and verifier cannot share a mistake.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from opentrail.format.digest_file import ListedFile
from opentrail.model.digest import Link
from opentrail.model.event import Place
from opentrail.model.report import Finding, Problem
from opentrail.pipeline.validate import PublicKey, Span, StoredObject, check_log

ACCOUNT, REGION, TRAIL, BUCKET = "123456789012", "us-east-1", "main", "audit-logs"
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{TRAIL}"
START = datetime(2026, 1, 10, 0, 1, 31, tzinfo=UTC)
HOUR = timedelta(hours=1)
DIGESTS = 8
QUIET = 4  # the digest that lists nothing


@cache
def key_pair(name: str) -> rsa.RSAPrivateKey:
    """One RSA pair per name and process: making one is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def der_of(name: str) -> bytes:
    """PKCS#1, as ListPublicKeys carries it."""
    return key_pair(name).public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)


def fingerprint(name: str) -> str:
    return hashlib.md5(der_of(name), usedforsecurity=False).hexdigest()


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def pack(document: bytes) -> bytes:
    return gzip.compress(document, mtime=0)


def digest_name(end: datetime, *, backfill: bool = False, trail: str = TRAIL) -> str:
    late = "_backfill" if backfill else ""
    return (
        f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/{end:%Y/%m/%d}/"
        f"{ACCOUNT}_CloudTrail-Digest_{REGION}_{trail}_{REGION}_{end:%Y%m%dT%H%M%SZ}{late}.json.gz"
    )


def log_name(moment: datetime, token: str) -> str:
    slot = moment.replace(minute=moment.minute - moment.minute % 5)
    return (
        f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{slot:%Y/%m/%d}/"
        f"{ACCOUNT}_CloudTrail_{REGION}_{slot:%Y%m%dT%H%MZ}_{token:A<16}.json.gz"
    )


@dataclass
class World:
    """Objects with their metadata, the public keys, and what was written down elsewhere."""

    objects: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)
    windows: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)  # of keys, by name
    head: Link | None = None
    digests: list[str] = field(default_factory=list)  # keys, oldest first, as first written
    logs: dict[int, list[str]] = field(default_factory=dict)  # keys by the digest that lists them
    late: list[str] = field(default_factory=list)  # backfill digests

    # The ports of the verifier

    def keys_under(self, bucket: str, prefix: str) -> Iterator[str]:
        return iter(sorted(key for key in self.objects if bucket == BUCKET and key.startswith(prefix)))

    def fetch_all(self, places: Sequence[tuple[str, str]]) -> Iterable[StoredObject]:
        return [self._fetch(bucket, key) for bucket, key in places]

    def judge_logs(self, files: Sequence[ListedFile], on_judged: Callable[[int], None]) -> Iterable[Finding]:
        verdicts = [check_log(file, self._fetch(file.bucket, file.key).body) for file in files]
        on_judged(len(verdicts))
        return [finding for finding in verdicts if finding is not None]

    def public_keys(self, start: datetime, end: datetime) -> Mapping[str, PublicKey]:
        return {
            fingerprint(name): PublicKey(
                fingerprint(name), der_of(name), since.timestamp(), until.timestamp()
            )
            for name, (since, until) in self.windows.items()
            if since <= end and until >= start
        }

    def _fetch(self, bucket: str, key: str) -> StoredObject:
        body, metadata = self.objects.get(key, (None, {})) if bucket == BUCKET else (None, {})
        return StoredObject(bucket=bucket, key=key, body=body, metadata=metadata)

    # What an attacker does

    def digest(self, key: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(gzip.decompress(self.objects[key][0]))
        return document

    def rewrite(self, key: str, change: Callable[[dict[str, Any]], Any]) -> None:
        """Change a digest's members; its signature stays what it was."""
        document = self.digest(key)
        change(document)
        self.objects[key] = pack(json.dumps(document).encode()), self.objects[key][1]

    def resign(
        self,
        key: str,
        change: Callable[[dict[str, Any]], Any] = lambda d: None,
        *,
        by: str = "current",
        algorithm: HashAlgorithm | None = None,
    ) -> None:
        """Change a digest's members and sign it anew, as one who may use the signing key."""
        document = self.digest(key)
        change(document)
        self.put_digest(key, document, by=by, algorithm=algorithm)

    def put_digest(
        self,
        key: str,
        document: dict[str, Any],
        *,
        by: str = "current",
        algorithm: HashAlgorithm | None = None,
    ) -> str:
        raw = json.dumps(document, separators=(",", ":")).encode()
        text = "\n".join(
            [
                document["digestEndTime"],
                f"{document['digestS3Bucket']}/{document['digestS3Object']}",
                hashlib.sha256(raw).hexdigest(),
                document["previousDigestSignature"] or "null",
            ]
        )
        signature = key_pair(by).sign(text.encode(), padding.PKCS1v15(), algorithm or SHA256()).hex()
        metadata = {"signature": signature, "signature-algorithm": "SHA256withRSA"}
        if key.endswith("_backfill.json.gz"):
            metadata["backfill-generation-timestamp"] = iso(START + DIGESTS * HOUR)
        self.objects[key] = pack(raw), metadata
        return signature

    def add_digest(
        self, key: str, start: datetime, end: datetime, files: Sequence[str], previous: str | None
    ) -> None:
        """A genuine digest."""
        document: dict[str, Any] = {
            "awsAccountId": ACCOUNT,
            "digestStartTime": iso(start),
            "digestEndTime": iso(end),
            "digestS3Bucket": BUCKET,
            "digestS3Object": key,
            "digestPublicKeyFingerprint": fingerprint("current"),
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": iso(end - HOUR / 2) if files else None,
            "oldestEventTime": iso(start) if files else None,
            "previousDigestS3Bucket": BUCKET if previous else None,
            "previousDigestS3Object": previous,
            "previousDigestHashValue": self.hash_of(previous) if previous else None,
            "previousDigestHashAlgorithm": "SHA-256" if previous else None,
            "previousDigestSignature": self.objects[previous][1]["signature"] if previous else None,
            "logFiles": [self.listing(name, start, end) for name in files],
        }
        self.put_digest(key, document)

    def listing(self, name: str, start: datetime, end: datetime) -> dict[str, Any]:
        return {
            "s3Bucket": BUCKET,
            "s3Object": name,
            "hashValue": self.hash_of(name),
            "hashAlgorithm": "SHA-256",
            "newestEventTime": iso(end - HOUR / 2),
            "oldestEventTime": iso(start),
        }

    def hash_of(self, key: str) -> str:
        return hashlib.sha256(gzip.decompress(self.objects[key][0])).hexdigest()

    def put_log(self, moment: datetime, token: str) -> str:
        name = log_name(moment, token)
        document = {"Records": [{"eventTime": iso(moment), "eventID": token, "eventName": "CreateUser"}]}
        self.objects[name] = pack(json.dumps(document).encode()), {}
        return name

    def span(self) -> Span:
        return Span(
            trail_arn=ARN,
            bucket=BUCKET,
            prefix="",
            organization="",
            place=Place(ACCOUNT, REGION),
            start=START,
            end=START + (DIGESTS + 1) * HOUR,
        )


def make_world() -> World:
    """Eight digests of two log files each, one of them of a quiet hour, and two backfill digests."""
    world = World(windows={"current": (START - 24 * HOUR, START + 29 * 24 * HOUR)})
    world.windows["expired"] = (START - 28 * 24 * HOUR, START + 2 * HOUR)
    previous = None
    for number in range(DIGESTS):
        begin, end = START + number * HOUR, START + (number + 1) * HOUR
        names = [world.put_log(begin + timedelta(minutes=9 + 20 * i), f"D{number}F{i}") for i in range(2)]
        world.logs[number] = [] if number == QUIET else names
        if number == QUIET:
            for name in names:
                del world.objects[name]
        key = digest_name(end)
        world.add_digest(key, begin, end, world.logs[number], previous)
        world.digests.append(key)
        previous = key
    _add_backfill(world)
    newest = world.digests[-1]
    world.head = Link(
        bucket=BUCKET,
        key=newest,
        sha256=world.hash_of(newest),
        signature=world.objects[newest][1]["signature"],
    )
    return world


def _add_backfill(world: World) -> None:
    previous = None
    for number in (1, 5):
        begin, end = START + number * HOUR, START + (number + 1) * HOUR
        name = world.put_log(begin + timedelta(minutes=44), f"LATE{number}")
        key = digest_name(end, backfill=True)
        world.add_digest(key, begin, end, [name], previous)
        world.late.append(key)
        world.logs[100 + number] = [name]
        previous = key


@dataclass(frozen=True)
class Attack:
    """One thing done to a bucket, and what must be found: (problem, key)."""

    name: str
    touches: frozenset[str]  # hours, mostly; attacks on the same one are not combined: one may undo the other
    run: Callable[[World], tuple[Problem, str]]
    needs: str  # what the attacker must hold


ATTACKS: dict[str, Attack] = {}


def attack(touches: str, needs: str = "bucket") -> Callable[[Callable[[World], tuple[Problem, str]]], Any]:
    """Enter a function into ``ATTACKS`` by its name."""

    def enter(run: Callable[[World], tuple[Problem, str]]) -> Callable[[World], tuple[Problem, str]]:
        name = run.__name__.replace("_", " ")
        ATTACKS[name] = Attack(name, frozenset(touches.split()), run, needs)
        return run

    return enter


def corrupt(body: bytes) -> bytes:
    return body[:12] + bytes([body[12] ^ 0xFF]) + body[13:]


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
    return Problem.INVALID_FORMAT, key


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


@attack("3")
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


@attack("5")
def a_digest_takes_anothers_place(world: World) -> tuple[Problem, str]:
    world.objects[world.digests[5]] = world.objects[world.digests[QUIET]]
    return Problem.MOVED, world.digests[5]


# With the signing key: what is signed anew is consistent in itself


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
