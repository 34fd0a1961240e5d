"""Made-up records and envelopes. ``make_record(awsRegion="b")`` changes the one field that matters."""

from __future__ import annotations

import gzip
import json
import uuid
from pathlib import Path
from typing import Any

import pytest

ACCOUNT = "123456789012"
REGION = "us-east-1"
SAMPLES = Path(__file__).parents[2].parent / "shared" / "sample-events" / "cloudtrail-records.ndjson.gz"


def make_record(**changes: Any) -> dict[str, Any]:
    """A management record; a change to ``None`` leaves the field out."""
    record: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLE",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/alice",
            "accountId": ACCOUNT,
            "accessKeyId": "AKIAEXAMPLE",
            "userName": "alice",
        },
        "eventTime": "2026-01-10T04:20:31Z",
        "eventSource": "iam.amazonaws.com",
        "eventName": "CreateUser",
        "awsRegion": REGION,
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "aws-cli/1.46",
        "requestParameters": {"userName": "bob"},
        "responseElements": None,
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        **changes,
    }
    return {name: value for name, value in record.items() if value is not None or name not in changes}


def make_data_record(**changes: Any) -> dict[str, Any]:
    """A data event: somebody reads an object."""
    facts: dict[str, Any] = {
        "eventCategory": "Data",
        "managementEvent": False,
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::pictures/cat.jpg"}],
    }
    return make_record(**(facts | changes))


# Event selectors of a trail that takes both kinds.
BOTH_KINDS = [
    {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
    }
]


def to_bytes(record: dict[str, Any]) -> bytes:
    """The record as CloudTrail writes it: one line, no spaces."""
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()


def envelope(
    raw: bytes, *, account: str = ACCOUNT, region: str = REGION, time: str = "2026-01-10T04:20:31Z"
) -> str:
    """The EventBridge event that carries ``raw``, byte for byte."""
    head = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.iam",
        "account": account,
        "time": time,
        "region": region,
        "resources": [],
    }
    return json.dumps(head, separators=(",", ":"))[:-1] + ',"detail":' + raw.decode() + "}"


def sample_lines() -> list[bytes]:
    """The real records kept beside the checkout; the test is skipped where they are not."""
    if not SAMPLES.exists():
        pytest.skip("real sample records are not on this machine: ../shared/sample-events")
    with gzip.open(SAMPLES) as lines:
        return [line.rstrip(b"\n") for line in lines]
