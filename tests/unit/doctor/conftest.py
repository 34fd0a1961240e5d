"""An account with one trail that nothing is wrong with, and ways to spoil it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from opentrail.branches.doctor import AccountFacts, BucketFacts, GroupFacts, KeyFacts, TrailFacts

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
ACCOUNT = "111122223333"
ARN = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"
GROUP = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail:*"

TLS_ONLY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
WRITE = {
    "Sid": "AWSCloudTrailWrite20150319",
    "Effect": "Allow",
    "Principal": {"Service": "cloudtrail.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": f"arn:aws:s3:::logs/AWSLogs/{ACCOUNT}/*",
    "Condition": {"StringEquals": {"aws:SourceArn": ARN, "s3:x-amz-acl": "bucket-owner-full-control"}},
}
ALL_OBJECTS = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}


def policy(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def make_bucket(**changes: Any) -> BucketFacts:
    good: dict[str, Any] = {
        "name": "logs",
        "region": "us-east-1",
        "policy": policy(WRITE, TLS_ONLY),
        "blocks_public": True,
        "versioned": True,
        "mfa_delete": False,
        "logs_access_to": "access",
        "lock_days": 400,
    }
    return BucketFacts(**good | changes)


def make_trail(**changes: Any) -> TrailFacts:
    good: dict[str, Any] = {
        "arn": ARN,
        "name": "main",
        "home_region": "us-east-1",
        "bucket_name": "logs",
        "prefix": "",
        "multi_region": True,
        "global_events": True,
        "validates": True,
        "of_organization": False,
        "topic_arn": "",
        "key_arn": KEY,
        "group_arn": GROUP,
        "logging": True,
        "status": {
            "StartLoggingTime": NOW - timedelta(days=30),
            "LatestDeliveryTime": NOW - timedelta(minutes=4),
            "LatestDigestDeliveryTime": NOW - timedelta(hours=1),
        },
        "selectors": (
            {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [ALL_OBJECTS]},
        ),
        "insight_types": ("ApiCallRateInsight", "ApiErrorRateInsight"),
        "bucket": make_bucket(),
        "key": KeyFacts(arn=KEY, state="Enabled", rotates=True),
        "group": GroupFacts(name="trail", retention_days=0, metric_filters=1, alarmed_filters=1),
    }
    return TrailFacts(**good | changes)


def make_facts(*trails: TrailFacts, **changes: Any) -> AccountFacts:
    facts = AccountFacts(account=ACCOUNT, region="us-east-1", now=NOW, trails=trails or (make_trail(),))
    return replace(facts, **changes)
