"""Trail names and ARNs."""

from __future__ import annotations

import pytest
from botocore.loaders import Loader

from opentrail.api.names import TrailRef, parse_trail_ref
from opentrail.api.scene import Scene
from tests.unit.api.fakes import ACCOUNT, NOW, World

SHORT = "Trail name too short. Minimum allowed length: 3 characters. Specified name length: {} characters."
LONG = "Trail name too long. Maximum allowed length: 128 characters. Specified name length: {} characters."
CHARACTERS = (
    "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), "
    "hyphens (-), and underscores (_)."
)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "",
            SHORT.format(0),
        ),
        (
            "ab",
            SHORT.format(2),
        ),
        (
            "a" * 129,
            LONG.format(129),
        ),
        ("-abc", "Trail name must starts with a letter or number."),
        ("abc_", "Trail name must ends with a letter or number."),
        ("a bc", CHARACTERS),
        ("aéc", CHARACTERS),
        ("my--trail", "Trail name must not have two periods, hyphens or underscores side by side."),
        ("my-_trail", "Trail name must not have two periods, hyphens or underscores side by side."),
        ("192.168.5.4", "Trail name must not look like an IP address."),
    ],
)
@pytest.mark.parametrize("operation", ["CreateTrail", "GetTrail", "StartLogging"])
def test_a_bad_name_is_refused_with_its_reason(operation: str, name: str, message: str) -> None:
    refusal = World().refusal(operation, Name=name, S3BucketName="logs")

    assert refusal == ("InvalidTrailNameException", message)


@pytest.mark.parametrize("name", ["abc", "a-b", "A1.b_c-d", "a" * 128, "1.2.3.4.5"])
def test_a_good_name_is_taken(name: str) -> None:
    assert World().create(name)["Name"] == name


def test_an_arn_says_where_and_whose() -> None:
    arn = "arn:aws-us-gov:cloudtrail:us-gov-west-1:123456789012:trail/audit"

    assert parse_trail_ref(arn, "aws-us-gov") == TrailRef("audit", "us-gov-west-1", "123456789012")


@pytest.mark.parametrize(
    ("partition", "region"),
    [(p["partition"], r) for p in Loader().load_data("endpoints")["partitions"] for r in p["regions"]],
)
def test_every_region_has_trails_in_its_own_partition(partition: str, region: str) -> None:
    arn = f"arn:{partition}:cloudtrail:{region}:{ACCOUNT}:trail/audit"
    scene = Scene(account=ACCOUNT, region=region, caller_arn="", now=NOW, ports=World().ports())

    assert scene.partition == partition
    assert parse_trail_ref(arn, scene.partition) == TrailRef("audit", region, ACCOUNT)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:",
        "arn:aws:cloudtrail:us-east-1:123456789012:trail/",
        "arn:aws:cloudtrail:us-east-1:123456789012:trail/a",
        "arn:aws:cloudtrail:us-east-1:12345678901:trail/audit",
        "arn:aws:cloudtrail:nowhere:123456789012:trail/audit",
        "arn:aws:cloudtrail:us-east-1:123456789012:eventdatastore/audit",
        "arn:aws:s3:us-east-1:123456789012:trail/audit",
        "arn:aws-cn:cloudtrail:us-east-1:123456789012:trail/audit",
        "arn:aws:cloudtrail:us-east-1:123456789012:trail/audit\n",
    ],
)
@pytest.mark.parametrize("operation", ["GetTrail", "DeleteTrail", "GetTrailStatus"])
def test_a_malformed_arn_is_refused(operation: str, arn: str) -> None:
    assert World().refusal(operation, Name=arn)[0] == "CloudTrailARNInvalidException"


def test_an_arn_is_no_name_for_a_new_trail() -> None:
    arn = "arn:aws:cloudtrail:us-east-1:123456789012:trail/audit"

    assert World().refusal("CreateTrail", Name=arn, S3BucketName="logs") == (
        "InvalidTrailNameException",
        CHARACTERS,
    )
