"""The real ``aws cloudtrail validate-logs`` on what a laptop delivered, before and after tampering."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from opentrail.format import log_file
from opentrail.format.digest_file import Digest, parse_digest
from tests.conformance.laptop.conftest import Laptop

BUCKET = "audit-main"
START = "2020-01-01T00:00:00Z"

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Trail:
    """A trail with a chain of five digests at home, the second of them empty."""

    laptop: Laptop
    arn: str
    log_keys: list[str]  # as of the last digest: whoever looks at the trail is recorded too

    def digest_keys(self) -> list[str]:
        keys = self.laptop.keys(BUCKET, "/CloudTrail-Digest/us-east-1/")
        return sorted(keys, key=lambda key: key[-24:-8])

    def digests(self) -> list[Digest]:
        bodies = [self.read(key)["Body"].read() for key in self.digest_keys()]
        return [parse_digest(log_file.decompress(body)) for body in bodies]

    def read(self, key: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.laptop.client("s3").get_object(Bucket=BUCKET, Key=key)
        return answer

    def write(self, key: str, body: bytes, metadata: dict[str, str]) -> None:
        self.laptop.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body, Metadata=metadata)

    @contextmanager
    def tampering(self, key: str) -> Iterator[tuple[bytes, dict[str, str]]]:
        """An object's body and metadata to begin with; it is put back as it was."""
        found = self.read(key)
        body, metadata = found["Body"].read(), found["Metadata"]
        try:
            yield body, metadata
        finally:
            self.write(key, body, metadata)

    def verdicts(self) -> tuple[Done, Done]:
        """What the aws-cli says, and what we say."""
        aws = self.laptop.run(
            "aws", f"cloudtrail validate-logs --trail-arn {self.arn} --start-time {START} --verbose"
        )
        own = self.laptop.run("opentrail", f"validate --trail-arn {self.arn} --start-time {START}")
        return aws, own


def complaints(done: Done) -> list[str]:
    return [text for text in done.stderr.splitlines() if text]


def line(kind: str, key: str, verdict: str) -> str:
    return f"{kind} file\ts3://{BUCKET}/{key}\t{verdict}"


@pytest.fixture(scope="module")
def trail(laptop: Laptop) -> Trail:
    arn = laptop.make_trail("main", EnableLogFileValidation=True)
    iam = laptop.client("iam")
    for number, calls in enumerate((3, 0, 2, 1, 4)):
        for call in range(calls):
            iam.create_user(UserName=f"user-{number}-{call}")
        laptop.flush(digest=True)
    return Trail(laptop, arn, laptop.keys(BUCKET, "/CloudTrail/us-east-1/"))


def test_every_digest_and_every_log_file_is_valid(trail: Trail) -> None:
    aws, own = trail.verdicts()

    digests, logs = trail.digest_keys(), trail.log_keys
    printed = aws.stdout.splitlines()
    assert (aws.returncode, aws.stderr) == (0, "")
    assert sorted(text for text in printed if text.endswith("\tvalid")) == sorted(
        [line("Digest", key, "valid") for key in digests] + [line("Log", key, "valid") for key in logs]
    )
    assert printed[-2:] == [
        f"{len(digests)}/{len(digests)} digest files valid",
        f"{len(logs)}/{len(logs)} log files valid",
    ]
    assert own.returncode == 0, own.stdout + own.stderr


def test_the_chain_has_an_empty_digest_and_holds_together(trail: Trail) -> None:
    digests = trail.digests()

    assert [bool(digest.files) for digest in digests] == [True, False, True, True, True]
    assert [digest.previous_key for digest in digests] == [None, *trail.digest_keys()[:-1]]
    assert [digest.start for digest in digests[1:]] == [digest.end for digest in digests[:-1]]


def test_every_log_file_is_in_exactly_one_digest(trail: Trail) -> None:
    listed = [file.key for digest in trail.digests() for file in digest.files]

    assert sorted(listed) == trail.log_keys


def test_a_tampered_log_file_is_named(trail: Trail) -> None:
    key = trail.digests()[2].files[0].key
    with trail.tampering(key) as (body, metadata):
        document = log_file.decompress(body).replace(b"CreateUser", b"DeleteUser", 1)
        trail.write(key, log_file.compress(document), metadata)

        aws, own = trail.verdicts()

    expected = line("Log", key, "INVALID: hash value doesn't match")
    assert (aws.returncode, complaints(aws)) == (1, [expected])
    assert (own.returncode, own.stdout.splitlines()[0]) == (1, expected)


def test_a_deleted_digest_is_named(trail: Trail) -> None:
    key = trail.digest_keys()[2]
    with trail.tampering(key):
        trail.laptop.client("s3").delete_object(Bucket=BUCKET, Key=key)

        aws, own = trail.verdicts()

    expected = line("Digest", key, "INVALID: not found")
    assert (aws.returncode, complaints(aws)) == (1, [expected])
    assert own.returncode == 1
    assert expected in own.stdout.splitlines()


def test_a_deleted_starting_digest_is_named(trail: Trail) -> None:
    key = trail.digest_keys()[0]
    with trail.tampering(key):
        trail.laptop.client("s3").delete_object(Bucket=BUCKET, Key=key)

        aws, own = trail.verdicts()

    expected = line("Digest", key, "INVALID: not found")
    assert (aws.returncode, complaints(aws)) == (1, [expected])
    assert own.returncode == 1
    assert expected in own.stdout.splitlines()


def test_an_altered_signature_is_named(trail: Trail) -> None:
    key = trail.digest_keys()[-1]
    with trail.tampering(key) as (body, metadata):
        trail.write(key, body, {**metadata, "signature": metadata["signature"][::-1]})

        aws, own = trail.verdicts()

    expected = line("Digest", key, "INVALID: signature verification failed")
    assert (aws.returncode, complaints(aws)) == (1, [expected])
    assert (own.returncode, own.stdout.splitlines()[0]) == (1, expected)


def test_after_all_that_it_is_whole_again(trail: Trail) -> None:
    aws, own = trail.verdicts()

    assert (aws.returncode, own.returncode) == (0, 0)


def fingerprints(laptop: Laptop, bucket: str) -> list[str]:
    """Of the home Region's digests, oldest first."""
    keys = sorted(laptop.keys(bucket, "/CloudTrail-Digest/us-east-1/"), key=lambda key: key[-24:-8])
    bodies = [laptop.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    return [parse_digest(log_file.decompress(body)).fingerprint for body in bodies]


def test_digests_of_a_deleted_key_and_of_its_successor_are_proven(laptop: Laptop, tmp_path: Path) -> None:
    arn = laptop.make_trail("rotating", EnableLogFileValidation=True)
    outputs = json.loads(laptop.run("opentrail", "status --json").stdout)["outputs"]
    laptop.flush(digest=True)

    done = laptop.run(
        "aws",
        f"lambda invoke --function-name {outputs['RotateFunctionName']} --payload '{{\"rotate\":true}}' "
        f"{tmp_path / 'answer'}",
    )
    laptop.client("iam").create_user(UserName="after-the-rotation")
    laptop.flush(digest=True)
    laptop.client("kms").schedule_key_deletion(KeyId=outputs["SigningKeyId"], PendingWindowInDays=7)
    laptop.client("iam").create_user(UserName="after-the-deletion")
    laptop.flush(digest=True)

    aws = laptop.run("aws", f"cloudtrail validate-logs --trail-arn {arn} --start-time {START}")
    own = laptop.run("opentrail", f"validate --trail-arn {arn} --start-time {START}")
    current = json.loads(laptop.run("aws", "cloudtrail list-public-keys --output json").stdout)
    old, new, after = fingerprints(laptop, "audit-rotating")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "answer").read_text())["rotated"] is True
    assert old != new == after
    assert [key["Fingerprint"] for key in current["PublicKeyList"]] == [new]
    assert (aws.returncode, own.returncode) == (0, 0), aws.stderr + own.stdout
    assert "3/3 digest files valid" in aws.stdout
