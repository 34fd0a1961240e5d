"""``opentrail trail create --default`` on a real ``opentrail up``: after it, calls become log files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conformance.laptop.conftest import Laptop


def answer(laptop: Laptop, command: str) -> Any:
    done = laptop.run("aws", f"{command} --output json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout else None


@pytest.fixture(scope="module")
def made(laptop: Laptop) -> str:
    """What the command printed, the first time."""
    done = laptop.run("opentrail", "trail create --default")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_says_what_it_made(made: str) -> None:
    assert made == (
        "trail management-events created, and logging: "
        "arn:aws:cloudtrail:us-east-1:123456789012:trail/management-events\n"
    )


def test_the_trail_is_what_auditors_ask_for(laptop: Laptop, made: str) -> None:
    trail = answer(laptop, "cloudtrail get-trail --name management-events")["Trail"]

    assert trail["IsMultiRegionTrail"]
    assert trail["LogFileValidationEnabled"]
    assert trail["S3BucketName"].startswith("opentrailstorage-logs")
    assert ":key/" in trail["KmsKeyId"]
    assert answer(laptop, "cloudtrail get-trail-status --name management-events")["IsLogging"]


def test_a_call_made_after_it_is_in_a_log_file_that_validates(laptop: Laptop, made: str) -> None:
    answer(laptop, "iam create-user --user-name after-the-first-trail")
    laptop.flush(digest=True)

    arn = made.split()[-1]
    done = laptop.run("opentrail", f"validate --trail-arn {arn} --start-time 2020-01-01T00:00:00Z")
    assert done.returncode == 0, done.stdout + done.stderr


def test_again_it_changes_nothing(laptop: Laptop, made: str) -> None:
    done = laptop.run("opentrail", "trail create --default")

    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert "stays as it is" in done.stdout


def test_a_trail_that_was_there_is_kept_and_its_differences_named(laptop: Laptop, made: str) -> None:
    answer(laptop, "cloudtrail update-trail --name management-events --no-enable-log-file-validation")
    answer(laptop, "cloudtrail stop-logging --name management-events")

    done = laptop.run("opentrail", "trail create --default")

    assert done.stdout.splitlines()[1:] == [
        "  EnableLogFileValidation is false, not true",
        "  it is stopped",
    ]


def test_an_attempt_that_broke_off_is_finished(laptop: Laptop, made: str) -> None:
    bucket = answer(laptop, "cloudtrail get-trail --name management-events")["Trail"]["S3BucketName"]
    answer(laptop, f"cloudtrail create-trail --name halfway --s3-bucket-name {bucket}")

    done = laptop.run("opentrail", "trail create --default --name halfway --json")

    assert json.loads(done.stdout)["done"] == "finished"
    assert answer(laptop, "cloudtrail get-trail-status --name halfway")["IsLogging"]


def test_what_cloudtrail_refuses_is_refused(laptop: Laptop) -> None:
    done = laptop.run("opentrail", "trail create --default --name no")

    assert done.returncode == 1
    assert "InvalidTrailNameException" in done.stderr


def test_without_a_deployment_it_says_so(laptop: Laptop) -> None:
    done = laptop.run("opentrail", "trail create --default --name-prefix Elsewhere")

    assert done.returncode == 2
    assert "no stack ElsewherePipeline" in done.stderr
