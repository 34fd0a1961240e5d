"""``opentrail doctor`` on the laptop: what it prints, run as printed, makes what failed pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.laptop_recording.conftest import Admin, Laptop

ACCOUNT = "123456789012"
BUCKET = f"cloudtrail-logs-{ACCOUNT}-us-east-1"
TRAIL = "management-events"
ROUNDS = 3  # a trail, then what belongs to it, then what belongs to that


@pytest.fixture
def fresh(laptop: Laptop, admin: Admin, monkeypatch: pytest.MonkeyPatch) -> Laptop:
    """An account in which nobody did anything, as the environment names it."""
    admin("/moto-api/reset")
    monkeypatch.setenv("AWS_ENDPOINT_URL", laptop.url)
    monkeypatch.setenv("MFA", f"arn:aws:iam::{ACCOUNT}:mfa/root 123456")
    return laptop


def opentrail(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as a user does."""
    command = [str(Path(sys.executable).parent / "opentrail"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def outcomes(*words: str) -> dict[str, str]:
    return {d["check"]: d["outcome"] for d in json.loads(opentrail("doctor", "--json", *words).stdout)}


def run_fixes(*words: str) -> None:
    """Run ``opentrail doctor --fixes`` with the real aws-cli."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.aws_lines"],
        input=opentrail("doctor", "--fixes", *words).stdout,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_bare_account_becomes_a_good_one_by_the_printed_commands(fresh: Laptop) -> None:
    bare = opentrail("doctor")

    for _ in range(ROUNDS):
        run_fixes()

    assert (bare.returncode, "no trail: EventBridge carries no API calls" in bare.stdout) == (1, True)
    found = outcomes()
    assert set(found.values()) == {"PASS"}
    assert len(found) == 18


def test_what_was_spoilt_is_repaired_by_the_printed_commands(fresh: Laptop) -> None:
    run_fixes()
    spoil(fresh.client)
    spoilt = {check for check, outcome in outcomes("--severity", "medium").items() if outcome == "FAIL"}

    run_fixes("--severity", "medium")

    assert spoilt >= {
        "multi-region-trail",
        "trail-logging",
        "log-file-validation",
        "bucket-not-public",
        "bucket-policy",
        "retention",
    }
    after = outcomes("--severity", "medium")
    assert [check for check in sorted(spoilt) if after[check] == "FAIL"] == []


def spoil(aws_client: Any) -> None:
    """Weaken a good trail and its bucket in six ways."""
    cloudtrail, s3 = aws_client("cloudtrail"), aws_client("s3")
    cloudtrail.update_trail(Name=TRAIL, EnableLogFileValidation=False, IsMultiRegionTrail=False)
    cloudtrail.put_event_selectors(TrailName=TRAIL, EventSelectors=[{"ReadWriteType": "WriteOnly"}])
    cloudtrail.stop_logging(Name=TRAIL)
    s3.delete_public_access_block(Bucket=BUCKET)
    resources = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    anybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resources}
    unnamed = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": ["s3:GetBucketAcl", "s3:PutObject"],
        "Resource": resources,
    }
    policy = {"Version": "2012-10-17", "Statement": [anybody, unnamed]}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    rule = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 7}}
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    answer = opentrail("doctor")

    assert answer.returncode == 2
    assert answer.stderr.startswith("could not check: ")
