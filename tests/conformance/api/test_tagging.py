"""Trails in the Resource Groups Tagging API, beside moto's own resources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.api.conftest import ACCOUNT, REGION, Laptop

ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/"


@pytest.fixture
def tagging(laptop: Laptop, make_bucket: Callable[..., str]) -> Any:
    """Three tagged trails, one without tags, one tagged bucket."""
    trails = laptop.client("cloudtrail")
    bucket = make_bucket()
    for number in range(3):
        tags = [{"Key": "team", "Value": "a"}, {"Key": "number", "Value": str(number)}]
        trails.create_trail(Name=f"trail{number}", S3BucketName=bucket, TagsList=tags)
    trails.create_trail(Name="bare", S3BucketName=bucket)
    tags = [{"Key": "team", "Value": "a"}, {"Key": "kind", "Value": "store"}]
    laptop.clients("s3").put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    return laptop.client("resourcegroupstaggingapi")


def names(answer: dict[str, Any]) -> list[str]:
    return [found["ResourceARN"].rpartition(":")[2] for found in answer["ResourceTagMappingList"]]


ALL = ["trail/trail0", "trail/trail1", "trail/trail2", "audit-logs"]


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({}, ALL),
        ({"ResourceTypeFilters": ["cloudtrail"]}, ALL[:3]),
        ({"ResourceTypeFilters": ["cloudtrail:trail"]}, ALL[:3]),
        ({"ResourceTypeFilters": ["s3"]}, ALL[3:]),
        ({"TagFilters": [{"Key": "number", "Values": ["1", "2"]}]}, ALL[1:3]),
        ({"TagFilters": [{"Key": "team"}, {"Key": "number", "Values": ["0"]}]}, ALL[:1]),
        ({"ResourceARNList": [ARN + "trail1"]}, ALL[1:2]),
    ],
)
def test_trails_are_found_beside_other_resources(
    tagging: Any, members: dict[str, Any], found: list[str]
) -> None:
    assert names(tagging.get_resources(**members)) == found


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_pages_hold_everything_once(tagging: Any, size: int) -> None:
    pages = list(tagging.get_paginator("get_resources").paginate(ResourcesPerPage=size))

    assert [name for page in pages for name in names(page)] == ALL
    assert max(len(names(page)) for page in pages) <= size


def test_keys_and_values_are_of_both(tagging: Any) -> None:
    assert sorted(tagging.get_tag_keys()["TagKeys"]) == ["kind", "number", "team"]
    assert sorted(tagging.get_tag_values(Key="number")["TagValues"]) == ["0", "1", "2"]


def test_tags_are_changed_by_cloudtrails_rules(tagging: Any, laptop: Laptop) -> None:
    arns = [ARN + "trail0", ARN + "nothing", "arn:aws:s3:::audit-logs"]

    failed = tagging.tag_resources(ResourceARNList=arns, Tags={"stage": "dev"})["FailedResourcesMap"]
    tagging.untag_resources(ResourceARNList=arns[:1], TagKeys=["team", "number"])

    assert failed[ARN + "nothing"] == {
        "StatusCode": 400,
        "ErrorCode": "InvalidParameterException",
        "ErrorMessage": f"ResourceNotFoundException: Resource not found: {ARN}nothing",
    }
    listed = laptop.client("cloudtrail").list_tags(ResourceIdList=arns[:1])["ResourceTagList"]
    assert listed[0]["TagsList"] == [{"Key": "stage", "Value": "dev"}]


def test_what_moto_refuses_stays_refused(tagging: Any) -> None:
    with pytest.raises(ClientError, match=r"\(InvalidParameterException\)"):
        tagging.get_resources(TagsPerPage=7)
    with pytest.raises(ClientError, match=r"\(PaginationTokenExpiredException\)"):
        tagging.get_resources(PaginationToken="trail-x")
