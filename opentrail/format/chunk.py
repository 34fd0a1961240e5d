"""A chunk <-> the body of a message on the delivery queue.

The records travel as base64 of gzip of NDJSON inside a small JSON object: the
Lambda runtime parses every message body's JSON itself, and a plain body would
cost as much as the rest of delivery.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Collection, Sequence

import msgspec
from isal import igzip, isal_zlib

from opentrail.errors import FormatError
from opentrail.format.log_file import GZIP_ERRORS
from opentrail.model.event import Event, Place
from opentrail.model.log_file import Chunk, Destination

_LEVEL = 1  # isal: a fifth of zlib's time; the queue is passed once


class _Body(msgspec.Struct, omit_defaults=True):
    id: str
    destinations: tuple[Destination, ...]
    account: str
    region: str
    folder: str
    count: int
    oldest: str
    newest: str
    data: str
    category: str = "Management"
    writes: int = 0


_decoder = msgspec.json.Decoder(_Body)
_UNREADABLE = (msgspec.DecodeError, RecursionError, *GZIP_ERRORS)  # broken base64 is a ValueError


def make_chunk(
    events: Sequence[Event],
    *,
    destinations: tuple[Destination, ...],
    place: Place,
    folder: str,
    known: Collection[str] = (),
) -> Chunk:
    """Pack ``events`` (at least one that is not known, all of ``place`` and of one category).

    The id is a hash of their eventIDs, so packing the same events again gives the
    same id, and each destination takes it once. It depends neither on who else
    gets them nor on what is left out: a second attempt may find other trails,
    and more events known, than the first did.

    Args:
        events: in the order they get in the file.
        destinations: who gets them.
        place: account and Region of all.
        folder: of their file's key.
        known: eventIDs that are left out, since they came another way before.
    """
    # Encoded, not joined: no eventID can be mistaken for two.
    identity = msgspec.json.encode((place, folder, [event.event_id for event in events]))
    new = [event for event in events if event.event_id not in known] if known else events
    moments = [event.time for event in new]
    return Chunk(
        id=hashlib.sha256(identity).hexdigest()[:32],
        destinations=destinations,
        place=place,
        folder=folder,
        category=events[0].category,
        count=len(new),
        writes=len(new) - sum([event.read_only for event in new]),
        oldest=min(moments),
        newest=max(moments),
        lines=b"\n".join([event.raw for event in new]),
    )


def encode_chunk(chunk: Chunk) -> str:
    """The message body for ``chunk``."""
    data = b64encode(igzip.compress(chunk.lines, compresslevel=_LEVEL, mtime=0)).decode()
    body = _Body(
        id=chunk.id,
        destinations=chunk.destinations,
        account=chunk.place.account,
        region=chunk.place.region,
        folder=chunk.folder,
        count=chunk.count,
        oldest=chunk.oldest,
        newest=chunk.newest,
        data=data,
        category=chunk.category,
        writes=chunk.writes,
    )
    return msgspec.json.encode(body).decode()


def decode_chunk(text: str) -> Chunk:
    """Read a message body.

    Raises:
        FormatError: not a chunk, or its record count is wrong.
    """
    try:
        body = _decoder.decode(text)
        lines = isal_zlib.decompress(a2b_base64(body.data), wbits=31)
    except _UNREADABLE as error:
        raise FormatError(f"not a delivery chunk: {error}") from error
    if lines.count(b"\n") + 1 != body.count:
        raise FormatError(f"chunk {body.id} says {body.count} records and holds another number")
    return Chunk(
        id=body.id,
        destinations=body.destinations,
        place=Place(body.account, body.region),
        folder=body.folder,
        category=body.category,
        count=body.count,
        writes=body.writes,
        oldest=body.oldest,
        newest=body.newest,
        lines=lines,
    )
