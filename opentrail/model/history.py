"""A history segment: one file of event history and the index that finds events in it."""

from __future__ import annotations

import msgspec

from opentrail.model.event import Place


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
