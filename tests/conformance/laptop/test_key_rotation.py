"""A signing key is rotated and its forerunner deleted, as an operator does it; the aws-cli judges."""

from __future__ import annotations

import json
from pathlib import Path

from opentrail.format import log_file
from opentrail.format.digest_file import parse_digest
from tests.conformance.laptop.conftest import Laptop

ALWAYS = "--start-time 2020-01-01T00:00:00Z"


def fingerprints(laptop: Laptop, bucket: str) -> list[str]:
    """Of the home Region's digests, oldest first."""
    keys = sorted(laptop.keys(bucket, "/CloudTrail-Digest/us-east-1/"), key=lambda key: key[-24:-8])
    bodies = [laptop.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    return [parse_digest(log_file.decompress(body)).fingerprint for body in bodies]


def test_digests_of_a_deleted_key_and_of_its_successor_are_proven(laptop: Laptop, tmp_path: Path) -> None:
    arn = laptop.make_trail("rotating", EnableLogFileValidation=True)
    outputs = json.loads(laptop.run("opentrail", "status").stdout)["outputs"]
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

    aws = laptop.run("aws", f"cloudtrail validate-logs --trail-arn {arn} {ALWAYS}")
    own = laptop.run("opentrail", f"validate --trail-arn {arn} {ALWAYS}")
    current = json.loads(laptop.run("aws", "cloudtrail list-public-keys --output json").stdout)
    old, new, after = fingerprints(laptop, "audit-rotating")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "answer").read_text())["rotated"] is True
    assert old != new == after
    assert [key["Fingerprint"] for key in current["PublicKeyList"]] == [new]
    assert (aws.returncode, own.returncode) == (0, 0), aws.stderr + own.stdout
    assert "3/3 digest files valid" in aws.stdout
