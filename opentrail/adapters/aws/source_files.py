"""A bucket that CloudTrail writes: its log files, and what lies where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from opentrail.adapters.aws.failure import storage_errors
from opentrail.errors import FormatError

_GONE = ("NoSuchKey", "404")
# S3 tells the second only. A trail that was started within it takes the file: rather once too much than lost.
_REST_OF_SECOND = 0.999


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One object, read."""

    body: bytes
    written_at: float  # epoch seconds: when S3 took it, the end of that second


class SourceFiles:
    """Objects of a bucket that may be somebody else's."""

    def __init__(self, client: Any, *, max_bytes: int) -> None:
        self._client = client
        self._max_bytes = max_bytes

    def read(self, bucket: str, key: str) -> SourceFile:
        """One object.

        Raises:
            FormatError: it is gone, or larger than any log file.
            StorageError: S3 or KMS refused or did not answer.
        """
        with storage_errors(f"get s3://{bucket}/{key}"):
            try:
                answer = self._client.get_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] in _GONE:
                    raise FormatError(f"s3://{bucket}/{key} is gone") from error
                raise
            if answer["ContentLength"] > self._max_bytes:
                raise FormatError(
                    f"s3://{bucket}/{key} has {answer['ContentLength']} bytes, more than any log file"
                )
            body: bytes = answer["Body"].read()
        return SourceFile(body, answer["LastModified"].timestamp() + _REST_OF_SECOND)

    def folders(self, bucket: str, prefix: str) -> list[str]:
        """The folders right below ``prefix``, each with its ``/`` at the end, in order.

        Raises:
            StorageError: S3 refused or did not answer.
        """
        with storage_errors(f"list s3://{bucket}/{prefix}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix=prefix, Delimiter="/"
            )
            return [folder["Prefix"] for page in pages for folder in page.get("CommonPrefixes", [])]

    def objects(self, bucket: str, prefix: str, *, after: str = "") -> Iterator[tuple[str, int]]:
        """Key and bytes of every object below ``prefix`` whose key sorts behind ``after``, in order.

        Raises:
            StorageError: S3 refused or did not answer.
        """
        with storage_errors(f"list s3://{bucket}/{prefix}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix=prefix, **({"StartAfter": after} if after else {})
            )
            for page in pages:
                for item in page.get("Contents", []):
                    yield item["Key"], item["Size"]
