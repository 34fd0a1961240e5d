"""A trail whose bucket an attacker holds: what it looks like.

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
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from opentrail.format.digest_file import ListedFile
from opentrail.model.digest import Head, Link
from opentrail.model.event import Place
from opentrail.model.report import Finding
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
    head: Link | None = None  # the newest digest by the ledger
    anchored: list[Head] = field(default_factory=list)
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
        return self.put_raw(key, json.dumps(document, separators=(",", ":")).encode(), by, algorithm)

    def put_raw(
        self, key: str, raw: bytes, by: str = "current", algorithm: HashAlgorithm | None = None
    ) -> str:
        """Sign a digest's bytes, whatever they are worth."""
        text = self.text_of(json.loads(raw), raw)
        signature = key_pair(by).sign(text, padding.PKCS1v15(), algorithm or SHA256()).hex()
        metadata = {"signature": signature, "signature-algorithm": "SHA256withRSA"}
        if key.endswith("_backfill.json.gz"):
            metadata["backfill-generation-timestamp"] = iso(START + DIGESTS * HOUR)
        self.objects[key] = pack(raw), metadata
        return signature

    def text_of(self, document: dict[str, Any], raw: bytes) -> bytes:
        """What the signature covers."""
        place = f"{document['digestS3Bucket']}/{document['digestS3Object']}"
        before = document["previousDigestSignature"] or "null"
        return "\n".join([document["digestEndTime"], place, hashlib.sha256(raw).hexdigest(), before]).encode()

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

    def link_of(self, key: str) -> Link:
        """What the ledger keeps of a digest."""
        signature = self.objects[key][1]["signature"]
        return Link(bucket=BUCKET, key=key, sha256=self.hash_of(key), signature=signature)

    def span(self) -> Span:
        return Span(
            trail_arn=ARN,
            bucket=BUCKET,
            prefix="",
            organization="",
            place=Place(ACCOUNT, REGION),
            start=START,
            end=START + (DIGESTS + 1) * HOUR,
            open_end=True,
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
    world.head = world.link_of(world.digests[-1])
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
