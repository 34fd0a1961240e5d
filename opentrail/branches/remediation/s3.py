"""What the playbooks about buckets share."""

from __future__ import annotations

from collections.abc import Mapping

from opentrail.branches.remediation.playbook import Cloud, Record, Target, parameters, tag_map, target_at
from opentrail.errors import StorageError

BUCKETS = "arn:{partition}:s3:::*"
GONE = ("NoSuchBucket",)


def bucket_of(record: Record) -> Target | None:
    """The bucket a call is about."""
    name = str(parameters(record).get("bucketName") or "")
    return target_at(record, name, "AWS::S3::Bucket", "s3:::{name}")


def bucket_tags(cloud: Cloud, target: Target) -> Mapping[str, str]:
    """The bucket's tags."""
    try:
        return tag_map(cloud("s3", "get_bucket_tagging", Bucket=target.name)["TagSet"])
    except StorageError as error:
        if error.code == "NoSuchTagSet":
            return {}
        raise


def bucket_policy(cloud: Cloud, bucket: str) -> str:
    """The bucket's policy; empty when it has none."""
    try:
        return str(cloud("s3", "get_bucket_policy", Bucket=bucket)["Policy"])
    except StorageError as error:
        if error.code == "NoSuchBucketPolicy":
            return ""
        raise


def put_policy(cloud: Cloud, bucket: str, policy: str) -> None:
    """Give the bucket ``policy``; an empty one removes it."""
    if policy:
        cloud("s3", "put_bucket_policy", Bucket=bucket, Policy=policy)
    else:
        cloud("s3", "delete_bucket_policy", Bucket=bucket)
