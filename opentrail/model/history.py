"""What the history table holds of a file: a segment of event history, or counts of data events."""

from __future__ import annotations

import msgspec

from opentrail.model.event import Place


class DataCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What Insights sums of the data events in one file of a trail; stored with the file's intent.

    ``counts`` and ``callers`` are as in ``Segment``.
    """

    place: Place
    trail: str  # ARN
    key: str  # of the file
    counts: bytes
    callers: bytes


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """The index item of one history file. Made by the history branch, stored with the file's intent.

    ``hashes`` holds one unsigned 32-bit number, big-endian and ascending, for
    every distinct attribute value in the file; ``counts`` is what Insights sums.
    """

    place: Place
    bucket: str
    key: str
    count: int
    oldest: str
    newest: str
    hashes: bytes
    counts: bytes  # zlib of JSON: {"source\nname\nerrorCode": {"2026-01-10T04:20": 3}}
    callers: bytes = b""  # likewise, two levels deeper: {... {"userAgent": {"aws-cli": {...}}}}
