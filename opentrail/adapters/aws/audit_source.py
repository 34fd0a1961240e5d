"""What a verifier reads: a trail's place, its public keys, its objects. Works on any CloudTrail bucket."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import botocore.session

from opentrail.adapters.aws import audit_pool
from opentrail.adapters.aws.audit_fetch import Connection, Login, read_pieces
from opentrail.adapters.aws.audit_keys import keys_of
from opentrail.adapters.aws.failure import storage_errors
from opentrail.errors import StorageError
from opentrail.format.digest_file import ListedFile
from opentrail.model.report import Finding
from opentrail.pipeline.validate.stored import PublicKey, StoredObject

BATCH = 20_000  # log files between two looks at the credentials, which may expire


class AuditSource:
    """Read-only access to trails, keys and their objects.

    Args:
        s3: lists buckets and tells where they are.
        cloudtrail: of the endpoint and Region whose keys signed.
        processes: how many may read log files side by side.
        known: log files (bucket, key, hash) that an earlier, broken off run found good.
        on_good: hears of each that this run finds good.
    """

    def __init__(
        self,
        s3: Any,
        cloudtrail: Any,
        *,
        processes: int = 1,
        known: frozenset[tuple[str, str, str]] = frozenset(),
        on_good: Callable[[ListedFile], None] = lambda file: None,
    ) -> None:
        self._s3 = s3
        self._cloudtrail = cloudtrail
        self._processes = processes
        self._known = known
        self._on_good = on_good
        self._endpoints: dict[str, tuple[str, str]] = {}
        self._credentials: Any = None
        self._folders: dict[tuple[str, str], list[str]] = {}

    def find_trail(self, arn: str) -> dict[str, Any] | None:
        """The trail as DescribeTrails answers it, ``None`` when there is none of that ARN.

        Raises:
            StorageError: CloudTrail refused or did not answer.
        """
        with storage_errors("describe trails"):
            trails: list[dict[str, Any]] = self._cloudtrail.describe_trails()["trailList"]
        return next((trail for trail in trails if trail["TrailARN"] == arn), None)

    def trail_arns(self) -> list[str]:
        """The ARNs of all trails that write digests, as DescribeTrails answers them.

        Raises:
            StorageError: CloudTrail refused or did not answer.
        """
        with storage_errors("describe trails"):
            trails: list[dict[str, Any]] = self._cloudtrail.describe_trails()["trailList"]
        return sorted({trail["TrailARN"] for trail in trails if trail.get("LogFileValidationEnabled")})

    def digest_delivered(self, arn: str) -> datetime | None:
        """When the trail's newest digest was delivered, as far as CloudTrail tells.

        Raises:
            StorageError: CloudTrail refused or did not answer.
        """
        with storage_errors(f"get status of {arn}"):
            moment: datetime | None = self._cloudtrail.get_trail_status(Name=arn).get(
                "LatestDigestDeliveryTime"
            )
        return moment

    def public_keys(self, start: datetime, end: datetime) -> dict[str, PublicKey]:
        """Every key that was valid at some time between ``start`` and ``end``, by fingerprint.

        Raises:
            StorageError: CloudTrail refused or did not answer.
        """
        with storage_errors("list public keys"):
            answer = self._cloudtrail.list_public_keys(StartTime=start, EndTime=end)
        return keys_of(answer["PublicKeyList"])

    def keys_under(self, bucket: str, prefix: str) -> Iterator[str]:
        """Every key under ``prefix``, in order; none when the bucket is gone.

        Raises:
            StorageError: S3 refused or did not answer.
        """
        try:
            with storage_errors(f"list s3://{bucket}/{prefix}"):
                for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                    yield from (item["Key"] for item in page.get("Contents", []))
        except StorageError as error:
            if error.code != "NoSuchBucket":
                raise

    def folders_under(self, bucket: str, prefix: str) -> list[str]:
        """The names that follow ``prefix`` up to the next slash; asked for once.

        Raises:
            StorageError: S3 refused or did not answer.
        """
        if (bucket, prefix) not in self._folders:
            with storage_errors(f"list s3://{bucket}/{prefix}"):
                pages = self._s3.get_paginator("list_objects_v2").paginate(
                    Bucket=bucket, Prefix=prefix, Delimiter="/"
                )
                found = [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])]
            self._folders[bucket, prefix] = [name.removeprefix(prefix).rstrip("/") for name in found]
        return self._folders[bucket, prefix]

    def fetch(self, bucket: str, key: str) -> StoredObject:
        """The object with its metadata; its body is ``None`` when it is not there.

        Raises:
            StorageError: S3 refused or did not answer.
        """
        return next(iter(self.fetch_all([(bucket, key)])))

    def fetch_all(self, places: Sequence[tuple[str, str]]) -> Iterable[StoredObject]:
        """See ``opentrail.pipeline.validate.ports.Archive``."""
        logins = {bucket: self._login(bucket) for bucket in {bucket for bucket, _ in places}}
        return audit_pool.map_threads(_read, lambda place: logins[place[0]], places)

    def judge_logs(self, files: Sequence[ListedFile], on_judged: Callable[[int], None]) -> Iterable[Finding]:
        """See ``opentrail.pipeline.validate.ports.Archive``."""
        left = [file for file in files if (file.bucket, file.key, file.sha256) not in self._known]
        on_judged(len(files) - len(left))
        for start in range(0, len(left), BATCH):
            batch = left[start : start + BATCH]
            logins = {bucket: self._login(bucket) for bucket in {file.bucket for file in batch}}
            for file, finding in audit_pool.judge_all(batch, logins, self._processes):
                on_judged(1)
                if finding is None:
                    self._on_good(file)
                else:
                    yield finding

    def _login(self, bucket: str) -> Login:
        if self._credentials is None:
            self._credentials = botocore.session.get_session().get_credentials()
        if self._credentials is None:
            raise StorageError(f"read s3://{bucket}: no AWS credentials were found")
        now = self._credentials.get_frozen_credentials()  # renewed here when they are about to expire
        endpoint, region = self._endpoint(bucket)
        return Login(
            access_key=now.access_key,
            secret_key=now.secret_key,
            token=now.token or "",
            region=region,
            endpoint=endpoint,
            ca_bundle=os.environ.get("AWS_CA_BUNDLE", ""),
        )

    def _endpoint(self, bucket: str) -> tuple[str, str]:
        """(endpoint, Region) of the bucket. An endpoint that is not AWS's own serves all Regions."""
        if bucket not in self._endpoints:
            own, region = self._s3.meta.endpoint_url, self._s3.meta.region_name
            host = urlsplit(own).hostname or ""
            if ".amazonaws.com" in host:
                region = self._region_of(bucket)
                own = f"https://s3.{region}.amazonaws.com{'.cn' if host.endswith('.cn') else ''}"
            self._endpoints[bucket] = own, region
        return self._endpoints[bucket]

    def _region_of(self, bucket: str) -> str:
        with storage_errors(f"locate s3://{bucket}"):
            region = self._s3.get_bucket_location(Bucket=bucket)["LocationConstraint"]
        return "eu-west-1" if region == "EU" else str(region or "us-east-1")


def _read(connection: Connection, place: tuple[str, str]) -> StoredObject:
    bucket, key = place
    with connection.get(bucket, key) as answer:
        if answer is None:
            return StoredObject(bucket=bucket, key=key, body=None)
        head = "x-amz-meta-"
        metadata = {
            name.lower().removeprefix(head): value
            for name, value in answer.getheaders()
            if name.lower().startswith(head)
        }
        return StoredObject(bucket=bucket, key=key, body=b"".join(read_pieces(answer)), metadata=metadata)
