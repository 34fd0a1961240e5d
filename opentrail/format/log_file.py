"""Records -> a log file's bytes and back.

Source: CloudTrail user guide, "CloudTrail log file name format" and limits: one
JSON object ``{"Records":[...]}``, one gzip member, at most 50 MB uncompressed.
``aws cloudtrail validate-logs`` refuses any byte after the gzip stream.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Protocol, cast

import msgspec
from isal import isal_zlib
from isal.igzip_lib import IsalError
from zlib_ng import zlib_ng

from opentrail.errors import FormatError

MAX_BYTES = 50_000_000  # uncompressed; CloudTrail user guide, "Quotas"
_GZIP_WBITS = 31  # zlib's way of saying: with a gzip header and trailer
QUICK_LEVEL = 3  # isal's highest
GZIP_LEVEL = 6  # zlib-ng: stdlib's size at half its time

_HEAD = b'{"Records":['
_TAIL = b"]}"
# Not the standard library's zlib.error; its stub declares the class as an instance.
GZIP_ERRORS = (cast(type[Exception], IsalError), ValueError)
OVERHEAD_BYTES = len(_HEAD) + len(_TAIL)


class Compressor(Protocol):
    """What both libraries' compression objects do."""

    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


def build_log_file(pieces: Iterable[bytes], *, quick: bool = False) -> tuple[str, bytes]:
    """One log file from NDJSON pieces: records as they are, in order.

    The document is hashed and compressed piece by piece and never exists as a
    whole.

    Args:
        pieces: each one or more records, a line each.
        quick: compress in half the time to a sixth more bytes, for files that do not stay long.

    Returns:
        The hex SHA-256 of the uncompressed document, and the gzip bytes.
    """
    digest = hashlib.sha256()
    stream: Compressor = isal_zlib.compressobj(QUICK_LEVEL, wbits=_GZIP_WBITS)
    if not quick:
        stream = zlib_ng.compressobj(GZIP_LEVEL, wbits=_GZIP_WBITS)
    parts = []
    separator = _HEAD
    for piece in pieces:
        for data in (separator, piece.replace(b"\n", b",")):
            digest.update(data)
            parts.append(stream.compress(data))
        separator = b","
    digest.update(_TAIL)
    parts += (stream.compress(_TAIL), stream.flush())
    return digest.hexdigest(), b"".join(parts)


def sha256_hex(document: bytes) -> str:
    """The hash that digests list: over the uncompressed document."""
    return hashlib.sha256(document).hexdigest()


def compress(document: bytes) -> bytes:
    """One gzip member; the same bytes every time (no name, no time in its header)."""
    body: bytes = zlib_ng.compress(document, GZIP_LEVEL, wbits=_GZIP_WBITS)
    return body


def decompress(body: bytes, *, limit: int = 0) -> bytes:
    """Undo ``compress``. Takes plain JSON too: HTTP clients may already have unpacked it.

    Args:
        limit: refuse a document of more bytes, before it fills the memory; 0 = there is none.

    Raises:
        FormatError: broken gzip, bytes after its one member, or more than ``limit``.
    """
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        stream = isal_zlib.decompressobj(wbits=_GZIP_WBITS)
        document = _inflate(stream, body, limit)
    except GZIP_ERRORS as error:
        raise FormatError(f"broken gzip: {error}") from error
    if not stream.eof:
        raise FormatError("broken gzip: it ends early")
    if stream.unused_data:
        raise FormatError("unexpected data after end of compressed stream")
    return document


def _inflate(stream: Any, body: bytes, limit: int) -> bytes:
    if not limit:
        whole: bytes = stream.decompress(body) + stream.flush()
        return whole
    parts, size = [stream.decompress(body, limit)], 0
    while parts[-1] and not stream.eof:
        size += len(parts[-1])
        if size >= limit:
            raise FormatError(f"more than {limit} bytes")
        parts.append(stream.decompress(stream.unconsumed_tail, limit - size))
    return b"".join(parts)


def holds(body: bytes | None, sha256: str) -> bool:
    """True when ``body`` is a whole log file with this hash: how an abandoned delivery is judged."""
    if body is None:
        return False
    try:
        return sha256_hex(decompress(body)) == sha256
    except FormatError:
        return False


class _Document(msgspec.Struct):
    records: list[msgspec.Raw] = msgspec.field(name="Records")


def split_records(document: bytes) -> list[bytes]:
    """The records of a log document, byte for byte.

    Raises:
        FormatError: not ``{"Records":[...]}``.
    """
    try:
        return [bytes(raw) for raw in msgspec.json.decode(document, type=_Document).records]
    except (msgspec.DecodeError, RecursionError) as error:
        raise FormatError(f"not a log file: {error}") from error


def parse_records(body: bytes) -> list[dict[str, Any]]:
    """The records of a stored log file as values, for people and tests.

    Raises:
        FormatError: not a log file.
    """
    try:
        return [msgspec.json.decode(raw) for raw in split_records(decompress(body))]
    except (msgspec.DecodeError, RecursionError) as error:
        raise FormatError(f"a record is not JSON: {error}") from error
