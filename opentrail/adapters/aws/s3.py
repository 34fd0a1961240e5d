"""Log files and digests in S3, written as CloudTrail writes them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from opentrail.adapters.aws.failure import storage_errors


class S3Objects:
    """Objects of any bucket the role may write."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def put(
        self,
        bucket: str,
        key: str,
        body: bytes,
        *,
        kms_key_arn: str,
        trail_arn: str,
        metadata: Mapping[str, str],
    ) -> None:
        """Store one gzip object with CloudTrail's headers.

        With ``kms_key_arn`` it is encrypted under that key, with CloudTrail's
        encryption context so that its published key policies allow it; without,
        a trail's file says ``AES256``, as policies that deny unencrypted puts
        demand, and one of event history leaves it to its bucket. The owner gets
        full control, as CloudTrail's bucket policy demands.

        Raises:
            StorageError: S3 refused or did not answer.

        Source: CloudTrail user guide, "Amazon S3 bucket policy for CloudTrail"
        and "How AWS CloudTrail uses AWS KMS".
        """
        with storage_errors(f"put s3://{bucket}/{key}"):
            self._client.put_object(
                Bucket=bucket,
                Key=key,
                Body=body,
                ACL="bucket-owner-full-control",
                ContentType="application/json",
                ContentEncoding="gzip",
                Metadata=dict(metadata),
                **_encryption(kms_key_arn, trail_arn),
            )

    def read(self, bucket: str, key: str) -> bytes | None:
        """The object's bytes, ``None`` when there is no such key.

        Raises:
            StorageError: S3 refused or did not answer, or there is no such bucket.
        """
        with storage_errors(f"get s3://{bucket}/{key}"):
            try:
                answer = self._client.get_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] == "NoSuchKey":
                    return None
                raise
            body: bytes = answer["Body"].read()
            return body


def _encryption(kms_key_arn: str, trail_arn: str) -> dict[str, Any]:
    if not kms_key_arn:
        return {"ServerSideEncryption": "AES256"} if trail_arn else {}
    context = json.dumps({"aws:cloudtrail:arn": trail_arn}).encode()
    return {
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": kms_key_arn,
        "SSEKMSEncryptionContext": b64encode(context).decode(),
        "BucketKeyEnabled": True,
    }
