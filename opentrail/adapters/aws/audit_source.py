"""What a verifier reads: a trail's place, its public keys, its objects. Works on any CloudTrail bucket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from opentrail.adapters.aws.failure import storage_errors
from opentrail.pipeline.validate.chain import PublicKey, StoredObject


class AuditSource:
    """Read-only access to trails, keys and their objects."""

    def __init__(self, s3: Any, cloudtrail: Any) -> None:
        self._s3 = s3
        self._cloudtrail = cloudtrail

    def find_trail(self, arn: str) -> dict[str, Any] | None:
        """The trail as DescribeTrails answers it, ``None`` when there is none of that ARN.

        Raises:
            StorageError: CloudTrail refused or did not answer.
        """
        with storage_errors("describe trails"):
            trails: list[dict[str, Any]] = self._cloudtrail.describe_trails()["trailList"]
        return next((trail for trail in trails if trail["TrailARN"] == arn), None)

    def public_keys(self, start: datetime, end: datetime) -> dict[str, PublicKey]:
        """Every key that was valid at some time between ``start`` and ``end``, by fingerprint.

        Raises:
            StorageError: CloudTrail refused or did not answer.
        """
        with storage_errors("list public keys"):
            answer = self._cloudtrail.list_public_keys(StartTime=start, EndTime=end)
        found = (
            PublicKey(
                key["Fingerprint"],
                key["Value"],
                key["ValidityStartTime"].timestamp(),
                key["ValidityEndTime"].timestamp(),
            )
            for key in answer["PublicKeyList"]
        )
        return {key.fingerprint: key for key in found}

    def keys_under(self, bucket: str, prefix: str) -> Iterator[str]:
        """Every key under ``prefix``, in order.

        Raises:
            StorageError: S3 refused or did not answer.
        """
        with storage_errors(f"list s3://{bucket}/{prefix}"):
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                yield from (item["Key"] for item in page.get("Contents", []))

    def fetch(self, bucket: str, key: str) -> StoredObject:
        """The object with its metadata; its body is ``None`` when it is not there.

        Raises:
            StorageError: S3 refused or did not answer.
        """
        with storage_errors(f"get s3://{bucket}/{key}"):
            try:
                answer = self._s3.get_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchBucket"):
                    return StoredObject(bucket=bucket, key=key, body=None)
                raise
            return StoredObject(
                bucket=bucket, key=key, body=answer["Body"].read(), metadata=answer.get("Metadata", {})
            )
