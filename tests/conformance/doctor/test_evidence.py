"""``opentrail evidence`` on the laptop."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

from tests.conformance.doctor.test_doctor import BUCKET, TRAIL, fresh, opentrail, run_fixes
from tests.conformance.laptop_recording.conftest import Admin, Laptop

__all__ = ["fresh"]
ARN = f"arn:aws:cloudtrail:us-east-1:123456789012:trail/{TRAIL}"


def evidence(directory: Path) -> subprocess.CompletedProcess[str]:
    return opentrail("evidence", "--trail-arn", ARN, "--from", "2026-01-01", "--output", str(directory))


def pack(directory: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((directory / "evidence.json").read_text())
    return document


def test_the_pack_says_what_is_proven_and_what_is_not(fresh: Laptop, admin: Admin, tmp_path: Path) -> None:
    run_fixes()
    fresh.client("iam").create_user(UserName="eve")
    admin("/_opentrail/flush?digest=1")

    sound = evidence(tmp_path / "sound")
    spoil(fresh.client("s3"))
    broken = evidence(tmp_path / "broken")

    assert (sound.returncode, broken.returncode) == (0, 1)
    assert sound.stdout.startswith("Proven: ")
    assert broken.stdout.startswith("Not proven: 1 findings")
    document = pack(tmp_path / "sound")
    (region,) = document["regions"]
    assert region["validation"]["proven"]
    assert region["anchored_heads"] == region["validation"]["digests"]
    assert region["coverage"][-1]["digests"] >= 1
    assert document["configuration"]["trail"]["TrailARN"] == ARN
    assert {d["check"] for d in document["doctor"]} >= {"log-file-validation", "encryption"}
    (finding,) = pack(tmp_path / "broken")["regions"][0]["validation"]["findings"]
    assert finding["problem"] == "hash value doesn't match"
    assert "hash value doesn&#39;t match" in (tmp_path / "broken" / "evidence.html").read_text()


def test_no_such_trail(fresh: Laptop, tmp_path: Path) -> None:
    done = evidence(tmp_path)

    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


def spoil(s3: Any) -> None:
    """Change a record of one log file."""
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="AWSLogs/123456789012/CloudTrail/")["Contents"]
    key = listed[0]["Key"]
    body = gzip.decompress(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    s3.put_object(
        Bucket=BUCKET, Key=key, Body=gzip.compress(body.replace(b'"eventVersion"', b'"EventVersion"', 1))
    )
