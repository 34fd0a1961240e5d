"""A trail's life, driven by boto3 and by the real aws-cli."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.api.conftest import ACCOUNT, Laptop

MakeBucket = Callable[..., str]


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


def test_boto3_lives_through_a_trail(laptop: Laptop, make_bucket: MakeBucket) -> None:
    trails = laptop.client("cloudtrail")
    arn = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/audit"

    created = trails.create_trail(
        Name="audit", S3BucketName=make_bucket(), EnableLogFileValidation=True, IsMultiRegionTrail=True
    )
    trails.start_logging(Name="audit")
    status = trails.get_trail_status(Name=arn)
    shadow = laptop.client("cloudtrail", "eu-west-1").describe_trails()["trailList"]

    created.pop("ResponseMetadata")
    assert created == {
        "Name": "audit",
        "S3BucketName": "audit-logs",
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "TrailARN": arn,
        "LogFileValidationEnabled": True,
        "IsOrganizationTrail": False,
        "RecursiveLogging": True,
    }
    assert status["IsLogging"] is True
    assert isinstance(status["StartLoggingTime"], datetime)
    assert [(t["TrailARN"], t["HomeRegion"]) for t in shadow] == [(arn, "us-east-1")]
    trails.stop_logging(Name="audit")
    trails.delete_trail(Name="audit")
    assert trails.describe_trails()["trailList"] == []
    with refused("TrailNotFoundException"):
        trails.delete_trail(Name="audit")


def test_a_bucket_without_policy_is_refused(laptop: Laptop, make_bucket: MakeBucket) -> None:
    trails = laptop.client("cloudtrail")
    message = "Incorrect S3 bucket policy is detected for bucket: bare"

    with pytest.raises(trails.exceptions.InsufficientS3BucketPolicyException, match=message):
        trails.create_trail(Name="audit", S3BucketName=make_bucket("bare", policy=False))


def test_the_cli_lives_through_a_trail(laptop: Laptop, make_bucket: MakeBucket) -> None:
    create = laptop.aws("cloudtrail", "create-trail", "--name", "audit", "--s3-bucket-name", make_bucket())
    start = laptop.aws("cloudtrail", "start-logging", "--name", "audit")
    shown = laptop.aws("cloudtrail", "get-trail", "--name", "audit")
    missing = laptop.aws("cloudtrail", "start-logging", "--name", "nope")

    assert (create.returncode, start.returncode, start.stdout) == (0, 0, "")
    assert json.loads(shown.stdout)["Trail"]["HomeRegion"] == "us-east-1"
    assert missing.returncode != 0
    unknown = f"Unknown trail: arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/nope for the user: {ACCOUNT}"
    assert "(TrailNotFoundException)" in missing.stderr
    assert unknown in missing.stderr


def test_an_operation_that_is_not_built_says_so(laptop: Laptop) -> None:
    with refused("UnsupportedOperationException"):
        laptop.client("cloudtrail").list_event_data_stores()


def test_the_public_key_loads_as_validators_load_it(laptop: Laptop) -> None:
    rsa = pytest.importorskip("rsa")
    now = datetime.now(UTC)

    keys = laptop.client("cloudtrail").list_public_keys(StartTime=now, EndTime=now)["PublicKeyList"]

    assert len({key["Fingerprint"] for key in keys}) == 1
    assert rsa.PublicKey.load_pkcs1(keys[0]["Value"], format="DER").n.bit_length() == 2048
    assert all(key["ValidityStartTime"] <= now <= key["ValidityEndTime"] for key in keys)
