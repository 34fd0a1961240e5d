"""A line with a chain of digests, and the verifying verbs over it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from opentrail.adapters.aws.kms import KmsSigner
from opentrail.cli import main
from opentrail.format.digest_file import fingerprint_of, pkcs1_of
from tests.support.line import Line
from tests.support.records import REGION, envelope, make_record, to_bytes


@dataclass
class Audit:
    """A line with a chain of four digests, and the verbs over it."""

    line: Line
    arn: str
    keys: Path

    @property
    def anchor(self) -> tuple[str, str]:
        return ("--anchor-table", f"{self.line.name}-anchor")

    def run(self, *arguments: str) -> Result:
        source = ["--trail-arn", self.arn, "--s3-bucket", self.line.bucket]
        return CliRunner().invoke(main, [*arguments, *source])

    def validate(self, *arguments: str) -> Result:
        span = ["--start-time", "2026-01-10T00:00:00Z", "--end-time", "2026-01-11T00:00:00Z"]
        return self.run("validate", *span, "--public-keys", str(self.keys), *arguments)

    def digest_keys(self) -> list[str]:
        return sorted(key for key in self.line.objects() if "/CloudTrail-Digest/us-east-1/" in key)

    def delete(self, key: str) -> None:
        self.line.client("s3").delete_object(Bucket=self.line.bucket, Key=key)

    def close_hours(self, count: int, *regions: str) -> None:
        """So many hours with a record of each Region, and their digests."""
        for _ in range(count):
            self.line.record(envelope(to_bytes(make_record(awsRegion=name))) for name in regions or (REGION,))
            self.line.deliver(self.line.queued_chunks())
            self.line.wait(hours=1)
            self.line.close()

    def cut(self, sign: str) -> None:
        """Delete every object whose key contains ``sign``."""
        for key in self.line.objects():
            if sign in key:
                self.delete(key)


def listed(kms: Any, key_id: str) -> dict[str, Any]:
    pkcs1 = pkcs1_of(KmsSigner(kms, key_id).public_key())
    return {
        "Fingerprint": fingerprint_of(pkcs1),
        "Value": base64.b64encode(pkcs1).decode(),
        "ValidityStartTime": "2026-01-01T00:00:00Z",
        "ValidityEndTime": "2026-01-31T00:00:00Z",
    }
