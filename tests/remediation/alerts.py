"""Dangers that playbooks only tell of."""

from __future__ import annotations

import json
from typing import Any

from opentrail.testing.world import OpenTrail

ROOT_KEY = {"AccessKeyId": "AKIAROOTROOTROOTROOT", "SecretAccessKey": "secret"}


def login(aws: OpenTrail, event_id: str, user: str, mfa: str = "No") -> dict[str, Any]:
    """Put a console sign-in of a user, or of root, on the bus, as AWS would; return its record."""
    arn = f"arn:aws:iam::{aws.account}"
    root = {"type": "Root", "arn": f"{arn}:root"}
    identity = {"type": "IAMUser", "userName": user, "arn": f"{arn}:user/{user}"}
    record = {
        "eventVersion": "1.11",
        "eventID": event_id,
        "eventTime": "2026-01-10T12:00:00Z",
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "userIdentity": root if user == "root" else identity,
        "additionalEventData": {"MFAUsed": mfa},
        "responseElements": {"ConsoleLogin": "Success"},
        "recipientAccountId": aws.account,
        "awsRegion": aws.region,
        "eventType": "AwsConsoleSignIn",
    }
    entry = {
        "Source": "aws.signin",
        "DetailType": "AWS Console Sign In via CloudTrail",
        "Detail": json.dumps(record),
    }
    aws.client("events").put_events(Entries=[entry])
    return record
