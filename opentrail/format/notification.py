"""The SNS message CloudTrail sends for delivered log files.

Source: CloudTrail user guide, "Configuring Amazon SNS notifications"; the
processing library reads exactly these two members.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

# Sent once when a topic is configured; not JSON, and consumers skip it.
VALIDATION_MESSAGE = "CloudTrail validation message."


class Notification(msgspec.Struct, frozen=True):
    """Which objects came to which bucket."""

    bucket: str = msgspec.field(name="s3Bucket")
    keys: Sequence[str] = msgspec.field(name="s3ObjectKey")


def encode_notification(bucket: str, keys: Sequence[str]) -> str:
    """The ``Message`` text for files that were delivered together."""
    return msgspec.json.encode(Notification(bucket, keys)).decode()
