"""Records to measure with: the real samples where they are, else made-up ones, each unlike the others."""

from __future__ import annotations

import gzip
import json
import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[1].parent / "shared" / "sample-events" / "cloudtrail-records.ndjson.gz"
PLACES = [("111111111111", "us-east-1"), ("111111111111", "eu-west-1"), ("222222222222", "us-east-1")]
ACTIONS = [
    ("iam.amazonaws.com", "CreateUser", {"userName": "bob"}, False),
    ("ec2.amazonaws.com", "DescribeInstances", {"maxResults": 50, "instancesSet": {}, "filterSet": {}}, True),
    ("sts.amazonaws.com", "AssumeRole", {"roleArn": "arn:aws:iam::111111111111:role/Deploy"}, True),
    ("kms.amazonaws.com", "Decrypt", {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}, True),
]


def generate(count: int, seed: int = 7) -> Iterator[bytes]:
    """``count`` records, one JSON line each, the same ones for the same seed."""
    chance = random.Random(seed)
    bases = list(_bases())
    for _ in range(count):
        record = dict(chance.choice(bases))
        account, region = chance.choice(PLACES)
        record["recipientAccountId"], record["awsRegion"] = account, region
        record["eventID"] = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        record["requestID"] = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        record["eventTime"] = f"2026-01-10T04:{chance.randrange(60):02d}:{chance.randrange(60):02d}Z"
        record["sourceIPAddress"] = f"198.51.100.{chance.randrange(256)}"
        yield json.dumps(record, separators=(",", ":")).encode()


def _bases() -> Iterator[dict[str, Any]]:
    if SAMPLES.exists():
        with gzip.open(SAMPLES) as lines:
            yield from (record for record in map(json.loads, lines) if record.get("eventTime"))
        return
    for source, name, parameters, read_only in ACTIONS:
        yield {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "IAMUser",
                "arn": "arn:aws:iam::111111111111:user/alice",
                "userName": "alice",
            },
            "eventSource": source,
            "eventName": name,
            "userAgent": "aws-cli/1.46.3 md/Botocore#1.46.3 ua/2.1 os/linux#6.1",
            "requestParameters": parameters,
            "responseElements": None,
            "readOnly": read_only,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "eventCategory": "Management",
        }


def envelope(raw: bytes, number: int) -> str:
    """The queue message that carries ``raw``."""
    account, region = PLACES[0]
    return (
        f'{{"version":"0","id":"{number}","detail-type":"AWS API Call via CloudTrail","source":"aws.iam",'
        f'"account":"{account}","time":"2026-01-10T04:20:31Z","region":"{region}","resources":[],"detail":'
        + raw.decode()
        + "}"
    )
