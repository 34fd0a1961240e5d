"""Identifiers the gateway mints: event ids that carry their time, request ids."""

from __future__ import annotations

import hashlib
import os
import uuid
from datetime import UTC, datetime, timedelta

BASE32 = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_event_id(arrived: datetime) -> str:
    """A UUID in the version 7 layout: 48 bits of milliseconds since 1970, 12 of the rest, then random bits.

    Source: RFC 9562, 5.7 and 6.2, method 3. The time makes a look-up by event id go straight to its
    segment, and what one caller did within a second stays in its order.
    """
    micros = (arrived - _EPOCH) // timedelta(microseconds=1)
    millis, rest = divmod(micros, 1000)
    fraction = (rest << 12) // 1000
    random = int.from_bytes(os.urandom(8), "big") >> 2
    return str(uuid.UUID(int=millis << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random))


def shared_copy_id(event_id: str, account: str) -> str:
    """The event id of one account's copy of a shared event: the same again for the same pair.

    The time stays in front. Source: formats.md 1.3: real copies carry name-based ids.
    """
    digest = hashlib.sha256(f"{event_id}/{account}".encode()).hexdigest()
    return f"{event_id[:18]}-8{digest[3:6]}-{digest[6:18]}"


def new_request_id(service: str) -> str:
    """A request id in the service's own form.

    S3's are 16 upper-case characters, DynamoDB's 52, all others UUIDs (real records).
    """
    if service in ("s3", "s3control"):
        return _upper(16)
    if service in ("dynamodb", "dynamodbstreams"):
        return _upper(52)
    return str(uuid.uuid4())


def _upper(count: int) -> str:
    return "".join(BASE32[byte & 31] for byte in os.urandom(count))
