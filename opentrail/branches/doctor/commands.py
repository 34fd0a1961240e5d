"""Shell commands and IAM statements, as the fixes print them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

Statement = Mapping[str, Any]
PUBLIC_BLOCKS = "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
CLOUDTRAIL = {"Service": "cloudtrail.amazonaws.com"}
GRANT_SIDS = (
    "AWSCloudTrailAclCheck20150319",
    "AWSCloudTrailWrite20150319",
)  # as CloudTrail's console names them


def aws(*words: str) -> str:
    """One aws-cli command, quoted for a shell."""
    return shlex.join(["aws", *words])


def as_json(value: Any) -> str:
    """JSON on one line."""
    return json.dumps(value, separators=(", ", ": "))


def as_policy(grants: Iterable[Statement]) -> dict[str, Any]:
    """A policy document of these statements."""
    return {"Version": "2012-10-17", "Statement": list(grants)}


def allow(principal: Any, actions: Any, resource: str, **conditions: Any) -> Statement:
    """An Allow statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": resource}
    return {**statement, "Condition": conditions} if conditions else statement


def delivery_grants(bucket: str, folder: str, arns: list[str]) -> list[Statement]:
    """What CloudTrail needs of a bucket's policy (user guide, "Amazon S3 bucket policy for CloudTrail")."""
    check = allow(
        CLOUDTRAIL, "s3:GetBucketAcl", f"arn:aws:s3:::{bucket}", StringEquals={"aws:SourceArn": arns}
    )
    return [{"Sid": GRANT_SIDS[0], **check}, {"Sid": GRANT_SIDS[1], **write_grant(bucket, folder, arns)}]


def write_grant(bucket: str, folder: str, arns: list[str]) -> Statement:
    """Writing log files below one folder, for these trails."""
    asked = {"aws:SourceArn": arns, "s3:x-amz-acl": "bucket-owner-full-control"}
    return allow(CLOUDTRAIL, "s3:PutObject", f"arn:aws:s3:::{bucket}/{folder}", StringEquals=asked)


def create_bucket(name: str, region: str) -> tuple[str, ...]:
    """A private bucket."""
    place = ("--create-bucket-configuration", f"LocationConstraint={region}")
    words = ("s3api", "create-bucket", "--bucket", name, "--region", region)
    return (aws(*words, *(() if region == "us-east-1" else place)), block_public(name))


def put_policy(bucket: str, policy: Mapping[str, Any]) -> str:
    """Set a bucket's policy."""
    return aws("s3api", "put-bucket-policy", "--bucket", bucket, "--policy", as_json(policy))


def block_public(bucket: str) -> str:
    """Switch all of Block Public Access on."""
    return aws(
        *("s3api", "put-public-access-block", "--bucket", bucket),
        *("--public-access-block-configuration", PUBLIC_BLOCKS),
    )
