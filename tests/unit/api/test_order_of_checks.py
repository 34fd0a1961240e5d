"""Of everything that is wrong with a request, CreateTrail names one thing: in this order.

AWS does not document the order; this is the one reference clients were seen to meet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from opentrail.model.resource import Bucket
from tests.unit.api.fakes import ACCOUNT, HOME, World, bucket_policy

Fault = tuple[str, dict[str, Any], Callable[[World], None]]


def nothing(world: World) -> None:
    """Leave the world as it is."""


def take_the_name(world: World) -> None:
    world.create()


def lose_the_bucket(world: World) -> None:
    world.buckets.clear()


def close_the_bucket(world: World) -> None:
    if "logs" in world.buckets:
        world.buckets["logs"] = Bucket(region=HOME, policy=None)


FAULTS: list[Fault] = [
    (
        "InvalidParameterCombinationException",
        {"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": False},
        nothing,
    ),
    ("InvalidTrailNameException", {"Name": "no name"}, nothing),
    ("TrailAlreadyExistsException", {}, take_the_name),
    ("S3BucketDoesNotExistException", {}, lose_the_bucket),
    ("InsufficientS3BucketPolicyException", {}, close_the_bucket),
    ("InvalidSnsTopicNameException", {"SnsTopicName": "no topic"}, nothing),
    ("KmsKeyNotFoundException", {"KmsKeyId": "alias/none"}, nothing),
    (
        "InvalidCloudWatchLogsLogGroupArnException",
        {"CloudWatchLogsLogGroupArn": "none", "CloudWatchLogsRoleArn": "none"},
        nothing,
    ),
]


@pytest.mark.parametrize("first", range(len(FAULTS)))
def test_the_first_of_all_faults_is_named(first: int) -> None:
    world = World()
    members: dict[str, Any] = {"Name": "audit", "S3BucketName": "logs"}
    for _, given, change in FAULTS[first:]:
        change(world)
        members |= given

    assert world.refusal("CreateTrail", **members)[0] == FAULTS[first][0]


def test_without_any_fault_the_trail_is_made() -> None:
    world = World()
    world.buckets["logs"] = Bucket(region=HOME, policy=bucket_policy())

    assert world.create()["TrailARN"] == f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/audit"
