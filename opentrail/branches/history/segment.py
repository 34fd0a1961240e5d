"""A history file's records -> its index item: what values are in it, what was called in which minute.

A segment is found by scanning index items newest first and reading only the
files that may hold the value looked for: about twelve bytes an event instead of
an item an event. A hash may claim a value that is not there; reading the file
settles it. It never misses one that is.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Sequence

from opentrail.branches.history.attributes import read_records, values_of
from opentrail.branches.history.tally import MANAGEMENT, Tally
from opentrail.model.event import Place
from opentrail.model.history import Segment
from opentrail.model.log_file import LogFile

HASH_BYTES = 4
# A DynamoDB item holds 400 KB, counts and names too. A file whose values need more (some 30,000 events in
# one window) goes without: it is read whenever its times fit.
MAX_HASHES_BYTES = 300_000


def build_segment(place: Place, file: LogFile, pieces: Sequence[bytes]) -> Segment:
    """The index item of ``file``, whose records are the lines of ``pieces``."""
    hashes: set[int] = set()
    tally = Tally(MANAGEMENT)
    for piece in pieces:
        records = read_records(piece)
        for attribute, values in values_of(records).items():
            hashes.update([hash_value(attribute, value) for value in values])
        tally.add(records)
    return Segment(
        place=place,
        bucket=file.bucket,
        key=file.key,
        count=file.count,
        oldest=file.oldest,
        newest=file.newest,
        hashes=_pack(hashes),
        counts=tally.counts(),
        callers=tally.callers(),
    )


def hash_value(attribute: str, value: str) -> int:
    """32 bits of ``attribute`` and ``value``: the index's word for them."""
    return zlib.crc32(f"{attribute}\n{value}".encode())


def holds_value(hashes: bytes, attribute: str, value: str) -> bool:
    """False when no event of the segment has this value; True when one probably has."""
    return holds_hash(hashes, hash_value(attribute, value))


def holds_hash(hashes: bytes, number: int) -> bool:
    """The same of a value's hash. Without hashes nothing is known, so the answer is True."""
    if not hashes:
        return True
    wanted = number.to_bytes(HASH_BYTES, "big")
    slots = range(0, len(hashes), HASH_BYTES)
    at = bisect_left(slots, wanted, key=lambda offset: hashes[offset : offset + HASH_BYTES])
    return at < len(slots) and hashes[slots[at] : slots[at] + HASH_BYTES] == wanted


def _pack(hashes: set[int]) -> bytes:
    if len(hashes) * HASH_BYTES > MAX_HASHES_BYTES:
        return b""
    numbers = array("I", sorted(hashes))
    if sys.byteorder == "little":
        numbers.byteswap()  # big-endian, so that bytes sort as the numbers do
    return numbers.tobytes()
