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

import msgspec

from opentrail.branches.history.attributes import Indexed, values_of
from opentrail.model.event import Place
from opentrail.model.history import Segment
from opentrail.model.log_file import LogFile

_decoder = msgspec.json.Decoder(Indexed)
_HASH_BYTES = 4


def build_segment(place: Place, file: LogFile, pieces: Sequence[bytes]) -> Segment:
    """The index item of ``file``, whose records are the lines of ``pieces``."""
    values: set[tuple[str, str]] = set()
    counts: dict[str, dict[str, int]] = {}
    for piece in pieces:
        for record in _decoder.decode_lines(piece):
            values.update(values_of(record))
            _count(counts, record)
    return Segment(
        place=place,
        bucket=file.bucket,
        key=file.key,
        count=file.count,
        oldest=file.oldest,
        newest=file.newest,
        hashes=_pack({hash_value(attribute, value) for attribute, value in values}),
        counts=zlib.compress(msgspec.json.encode(counts)),
    )


def hash_value(attribute: str, value: str) -> int:
    """32 bits of ``attribute`` and ``value``: the index's word for them."""
    return zlib.crc32(f"{attribute}\n{value}".encode())


def holds_value(hashes: bytes, attribute: str, value: str) -> bool:
    """False when no event of the segment has this value; True when one probably has."""
    wanted = hash_value(attribute, value).to_bytes(_HASH_BYTES, "big")
    slots = range(0, len(hashes), _HASH_BYTES)
    at = bisect_left(slots, wanted, key=lambda offset: hashes[offset : offset + _HASH_BYTES])
    return at < len(slots) and hashes[slots[at] : slots[at] + _HASH_BYTES] == wanted


def _pack(hashes: set[int]) -> bytes:
    numbers = array("I", sorted(hashes))
    if sys.byteorder == "little":
        numbers.byteswap()  # big-endian, so that bytes sort as the numbers do
    return numbers.tobytes()


def _count(counts: dict[str, dict[str, int]], record: Indexed) -> None:
    """Count what Insights watches: management writes, and management calls that failed."""
    if record.category not in (None, "Management") or not isinstance(record.time, str):
        return
    write = record.read_only not in (True, "true")
    error = record.error_code if isinstance(record.error_code, str) else ""
    minute = record.time[:16]
    for counted, code in ((write, ""), (bool(error), error)):
        if counted:
            series = counts.setdefault(f"{record.source}\n{record.name}\n{code}", {})
            series[minute] = series.get(minute, 0) + 1
