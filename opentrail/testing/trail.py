"""A trail made for a test: bucket, policy, trail, logging; and the records in its files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from opentrail.format import log_file
from opentrail.testing.matching import Event, choose

SELECTORS = ("EventSelectors", "AdvancedEventSelectors")


class LoggingTrail:
    """What a test sees of a trail.

    Attributes:
        name, arn: the trail's.
        bucket: where its files are.
    """

    def __init__(self, *, name: str, arn: str, bucket: str, s3: Any) -> None:
        self.name = name
        self.arn = arn
        self.bucket = bucket
        self._s3 = s3

    def events(
        self,
        name: str | None = None,
        *,
        source: str | None = None,
        error: str | None = None,
        pattern: Mapping[str, Any] | None = None,
    ) -> list[Event]:
        """Return the records in the delivered log files, oldest first; ``choose`` tells the filters.

        Only a flush brings records there.
        """
        bodies = (self.read(key) for key in self.log_files())
        records = [json.loads(raw) for body in bodies for raw in log_file.split_records(body)]
        records.sort(key=lambda record: (record["eventTime"], record["eventID"]))
        return choose(records, name=name, source=source, error=error, pattern=pattern)

    def log_files(self) -> list[str]:
        """Return the keys of the log files."""
        return [key for key in self._keys() if "/CloudTrail/" in key and key.endswith(".json.gz")]

    def digests(self) -> list[str]:
        """Return the keys of the digest files; ``flush(digest=True)`` makes them."""
        return [key for key in self._keys() if "/CloudTrail-Digest/" in key and key.endswith(".json.gz")]

    def read(self, key: str) -> bytes:
        """Return the content of a file, uncompressed."""
        return log_file.decompress(self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def _keys(self) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]


def make_trail(
    client: Any, reader: Any, *, account: str, region: str, name: str, options: Mapping[str, Any]
) -> LoggingTrail:
    """Make a trail that logs. ``options`` as ``OpenTrail.trail`` says.

    ``client(service)`` answers clients; ``reader`` is one of S3 whose calls are never recorded.

    Raises:
        ClientError: CloudTrail refuses an option.
    """
    bucket = options.get("S3BucketName") or _make_bucket(client("s3"), name, account, region)
    cloudtrail = client("cloudtrail")
    given = {key: value for key, value in options.items() if key not in SELECTORS}
    arn: str = cloudtrail.create_trail(**{"Name": name, "S3BucketName": bucket, **given})["TrailARN"]
    selectors = {key: options[key] for key in SELECTORS if key in options}
    if selectors:
        cloudtrail.put_event_selectors(TrailName=arn, **selectors)
    cloudtrail.start_logging(Name=arn)
    return LoggingTrail(name=name, arn=arn, bucket=bucket, s3=reader)


def _make_bucket(s3: Any, trail: str, account: str, region: str) -> str:
    bucket = f"audit-{trail.lower().replace('_', '-').strip('.-')}-{account}"
    placed = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **placed)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(bucket_policy(bucket)))
    return bucket


def bucket_policy(bucket: str) -> dict[str, Any]:
    """Return the policy CloudTrail asks for, for any trail and prefix.

    Source: CloudTrail user guide, "Amazon S3 bucket policy for CloudTrail".
    """
    principal = {"Service": "cloudtrail.amazonaws.com"}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": principal,
                "Action": "s3:GetBucketAcl",
                "Resource": f"arn:aws:s3:::{bucket}",
            },
            {
                "Effect": "Allow",
                "Principal": principal,
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{bucket}/*",
                "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
            },
        ],
    }
