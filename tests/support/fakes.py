"""In-memory doubles of what the stages need. ``tests/adapters/aws`` holds them to what AWS does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import count

import msgspec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from opentrail.errors import ConflictError, StorageError
from opentrail.model.digest import Chain, Head, SealedDigest
from opentrail.model.event import Place
from opentrail.model.history import Segment
from opentrail.model.log_file import FileRow, FileState, LogFile
from opentrail.model.usage import Usage
from opentrail.pipeline.deliver import Intent
from opentrail.pipeline.validate import StoredObject


class FakeLedger:
    """The ledger of deliver and of digest."""

    def __init__(self) -> None:
        self.rows: dict[str, FileRow] = {}
        self.claims: dict[str, str] = {}
        self.segments: list[Segment] = []
        self._chains: dict[str, Chain] = {}
        self.usage: dict[tuple[str, str, str], Usage] = {}

    def intend(self, intent: Intent) -> None:
        if intent.destination.digested:
            self._begin_chain(intent)
        for claim in intent.claims:
            if self.claims.get(claim) != intent.reclaimed.get(claim):
                raise ConflictError(f"{claim} belongs to {self.claims[claim]}")
        if intent.id in self.rows:
            raise ConflictError(f"{intent.id} exists")
        self.rows[intent.id] = FileRow(id=intent.id, state=FileState.PENDING, file=intent.file)
        self.claims.update(dict.fromkeys(intent.claims, intent.id))
        if intent.segment is not None:
            self.segments.append(intent.segment)

    def owners(self, claims: Sequence[str]) -> Mapping[str, FileRow | None]:
        return {claim: self.rows.get(self.claims[claim]) for claim in claims if claim in self.claims}

    def settle(self, file_id: str, state: FileState) -> None:
        row = self.rows.get(file_id)
        if row is None or row.state is not FileState.PENDING:
            raise ConflictError(f"{file_id} is not pending")
        self.rows[file_id] = msgspec.structs.replace(row, state=state)

    def chains(self) -> Sequence[Chain]:
        return list(self._chains.values())

    def save_chain(self, chain: Chain) -> Chain:
        stored = self._chains.get(chain.id)
        if chain.version != (stored.version if stored else 0):
            raise ConflictError(f"{chain.id} is at version {stored.version if stored else 0}")
        saved = msgspec.structs.replace(chain, version=chain.version + 1)
        self._chains[chain.id] = saved
        return saved

    def open_files(self, chain_id: str, *, before: float, limit: int) -> Sequence[FileRow]:
        rows = [row for row in self.rows.values() if row.id.startswith(f"open#{chain_id}|")]
        found = [r for r in rows if r.state is not FileState.DROPPED and r.file.created_at < before]
        return sorted(found, key=lambda row: row.id)[:limit]

    def keep_usage(self, chain_id: str, sealed: SealedDigest) -> None:
        self.usage |= {(day, chain_id, sealed.key): usage for day, usage in sealed.usage.items()}

    def close_files(self, file_ids: Sequence[str]) -> None:
        for file_id in file_ids:
            self.rows.pop(file_id, None)

    def _begin_chain(self, intent: Intent) -> None:
        destination = intent.destination
        home = Place(*reversed(destination.name.split(":")[3:5]))
        chain = Chain(
            trail_arn=destination.name,
            place=intent.place,
            bucket=destination.bucket,
            prefix=destination.prefix,
            organization_id=destination.organization_id,
            kms_key_arn=destination.kms_key_arn,
            started_at=destination.digested_since if intent.place == home else intent.file.created_at,
        )
        if chain.id not in self._chains:
            self.save_chain(chain)


class FakeAnchor:
    """Heads by line and end; ``closed`` refuses everything."""

    def __init__(self) -> None:
        self.lines: dict[str, dict[str, Head]] = {}
        self.closed = False

    def check(self, head: Head) -> None:
        if self.closed:
            raise StorageError("read anchor: AccessDenied", "AccessDenied")
        line = self.lines.get(head.line, {})
        if line and head.end <= max(line) and line.get(head.end, head).sha256 != head.sha256:
            raise StorageError(f"the anchor holds another digest of {head.end}", "AnchorRefused")
        if line and head.end < max(line) and head.end not in line:
            raise StorageError(f"the anchor is beyond {head.end}", "AnchorRefused")

    def write(self, head: Head) -> None:
        self.check(head)
        self.lines.setdefault(head.line, {}).setdefault(head.end, head)


class FakeStore:
    """Buckets. Those named in ``closed`` refuse everything."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], StoredObject] = {}
        self.puts: list[dict[str, str]] = []  # how each object was to be encrypted
        self.closed: set[str] = set()
        self.refused: dict[tuple[str, str], StoredObject] = {}

    def put(
        self,
        bucket: str,
        key: str,
        body: bytes,
        *,
        kms_key_arn: str,
        trail_arn: str,
        metadata: Mapping[str, str],
    ) -> None:
        stored = StoredObject(bucket=bucket, key=key, body=body, metadata=dict(metadata))
        self.refused[bucket, key] = stored
        self._open(bucket, key)
        self.objects[bucket, key] = self.refused.pop((bucket, key))
        self.puts.append({"key": key, "kms_key_arn": kms_key_arn, "trail_arn": trail_arn})

    def read(self, bucket: str, key: str) -> bytes | None:
        self._open(bucket, key)
        found = self.objects.get((bucket, key))
        return found.body if found else None

    def _open(self, bucket: str, key: str) -> None:
        if bucket in self.closed:
            raise StorageError(f"s3://{bucket}/{key}: NoSuchBucket", "NoSuchBucket")


@cache
def private_key(number: int = 0) -> RSAPrivateKey:
    """The test run's RSA key of that number: making one takes a while."""
    return generate_private_key(65537, 2048)


class FakeSigner:
    """A key pair in memory."""

    def __init__(self, number: int = 0) -> None:
        self.key = private_key(number)
        self.signed = 0

    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        self.signed += 1
        return self.key.sign(message, PKCS1v15(), SHA256())

    def signer_for(self, end: datetime) -> FakeSigner:
        """A keyring of one key."""
        return self


def make_tokens() -> Callable[[], str]:
    """Sixteen characters, never the same."""
    numbers = count()
    return lambda: f"{next(numbers):016d}"


def describe(place: Place, file: LogFile, pieces: Sequence[bytes]) -> Segment:
    """A segment that says only which file it is of."""
    return Segment(
        place=place,
        bucket=file.bucket,
        key=file.key,
        count=file.count,
        oldest=file.oldest,
        newest=file.newest,
        hashes=b"",
        counts=b"",
    )
