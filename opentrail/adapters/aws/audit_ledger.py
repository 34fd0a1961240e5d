"""What a verifier inside the deployment reads beside the buckets: the register of keys, and retention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

from opentrail.adapters.aws.failure import storage_errors
from opentrail.adapters.aws.signing_keys import SigningKeys
from opentrail.errors import StorageError
from opentrail.format import digest_file
from opentrail.pipeline.validate import PublicKey
from opentrail.pipeline.validate.retention import Retained

DAYS_OF_A_YEAR = 365
HEADS_AT_ONCE = 10  # connections in botocore's own pool


class LedgerKeys:
    """Public keys straight from the register, as ListPublicKeys would answer them at ``now``."""

    def __init__(self, keys: SigningKeys, now: datetime) -> None:
        self._keys = keys
        self._now = now

    def public_keys(self, start: datetime, end: datetime) -> dict[str, PublicKey]:
        """See ``opentrail.pipeline.validate.ports.KeySource``."""
        found = {}
        for window in self._keys.windows(self._now):
            if window.overlaps(start, end):
                der = digest_file.pkcs1_of(window.key.spki)
                name = digest_file.fingerprint_of(der)
                found[name] = PublicKey(name, der, window.valid_from.timestamp(), window.valid_to.timestamp())
        return found


class S3Retention:
    """How objects are retained. Without ``s3:GetObjectRetention`` S3 says nothing of it."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def retained(self, bucket: str, prefixes: Iterable[str]) -> Iterator[Retained]:
        """See ``opentrail.pipeline.validate.retention.Vault``."""
        with ThreadPoolExecutor(HEADS_AT_ONCE) as pool:
            for prefix in prefixes:
                yield from pool.map(partial(self._look, bucket), self._keys(bucket, prefix))

    def default_of(self, bucket: str) -> tuple[str, int] | None:
        """How a bucket retains by default: mode and days; ``None`` where it does not.

        Raises:
            StorageError: S3 refused or did not answer.
        """
        try:
            with storage_errors(f"look at Object Lock of s3://{bucket}"):
                found = self._client.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
        except StorageError as error:
            if error.code in ("ObjectLockConfigurationNotFoundError", "NoSuchBucket"):
                return None
            raise
        retention = found.get("Rule", {}).get("DefaultRetention")
        if retention is None:
            return None
        return retention["Mode"], retention.get("Days", 0) or DAYS_OF_A_YEAR * retention["Years"]

    def _keys(self, bucket: str, prefix: str) -> list[str]:
        with storage_errors(f"list s3://{bucket}/{prefix}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def _look(self, bucket: str, key: str) -> Retained:
        with storage_errors(f"look at s3://{bucket}/{key}"):
            head = self._client.head_object(Bucket=bucket, Key=key)
        return Retained(
            bucket=bucket,
            key=key,
            stored_at=head["LastModified"],
            mode=head.get("ObjectLockMode", ""),
            until=head.get("ObjectLockRetainUntilDate"),
        )
