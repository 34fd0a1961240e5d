"""A message that says which objects came to a bucket -> their names.

Three senders are understood, each directly or through an SNS topic: EventBridge
("Object Created"), S3's own notifications, and CloudTrail's trails.

Source: S3 user guide, "Using EventBridge" (keys as they are) and "Event message
structure" (keys URL-encoded); CloudTrail user guide, "Configuring Amazon SNS
notifications"; SNS developer guide, "Parsing message formats".
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from opentrail.errors import FormatError
from opentrail.format.notification import VALIDATION_MESSAGE, Notification

_ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})")
S3_TEST = "s3:TestEvent"  # sent once when a notification is configured


class ObjectName(NamedTuple):
    """One object."""

    bucket: str
    key: str


class _Named(msgspec.Struct):
    name: str = ""
    key: str = ""


class _Detail(msgspec.Struct):
    bucket: _Named
    object: _Named


class _FromEventBridge(msgspec.Struct):
    detail: _Detail


class _Put(msgspec.Struct):
    s3: _Detail
    event: str = msgspec.field(name="eventName", default="")


class _FromS3(msgspec.Struct):
    records: list[_Put] = msgspec.field(name="Records")


class _FromSns(msgspec.Struct):
    message: str = msgspec.field(name="Message")


class _Test(msgspec.Struct):
    event: str = msgspec.field(name="Event")


def read_notice(body: str) -> list[ObjectName]:
    """The objects ``body`` tells of; none for the messages that only try out a new subscription.

    Raises:
        FormatError: it is of none of the three senders.
    """
    try:
        return _read(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise FormatError(f"message names no objects: {error}") from error


def _read(body: str) -> list[ObjectName]:
    if body == VALIDATION_MESSAGE:
        return []
    members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    if "Message" in members:
        return _read(msgspec.json.decode(body, type=_FromSns).message)
    if "detail" in members:
        detail = msgspec.json.decode(body, type=_FromEventBridge).detail
        return [_named(detail.bucket.name, detail.object.key)]
    if "Records" in members:
        puts = msgspec.json.decode(body, type=_FromS3).records
        return [_named(put.s3.bucket.name, _decoded(put.s3.object.key)) for put in puts]
    if "s3ObjectKey" in members:
        told = msgspec.json.decode(body, type=Notification)
        return [_named(told.bucket, key) for key in told.keys]
    if "Event" in members and msgspec.json.decode(body, type=_Test).event == S3_TEST:
        return []
    raise FormatError("message names no objects: nothing in it is known")


def _decoded(key: str) -> str:
    """Undo the encoding of form data: ``my+prefix/a%2Bb`` is ``my prefix/a+b``."""
    plain = key.replace("+", " ").encode()
    return _ENCODED.sub(lambda match: bytes.fromhex(match[1].decode()), plain).decode()


def _named(bucket: str, key: str) -> ObjectName:
    if not bucket or not key:
        raise FormatError("message names no objects: a bucket or a key is missing")
    return ObjectName(bucket, key)
