"""Chunks -> batches that PutLogEvents takes.

Source: CloudTrail user guide, "Sending events to CloudWatch Logs"
(nothing above 256 KB); CloudWatch Logs API reference, PutLogEvents (limits).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from opentrail.errors import FormatError
from opentrail.format.times import from_iso
from opentrail.model.log_file import Chunk

MAX_EVENT_BYTES = 256 * 1024  # CloudTrail sends nothing larger
MAX_BATCH_BYTES = 1_048_576  # bytes of messages, and EVENT_OVERHEAD for each
EVENT_OVERHEAD = 26
MAX_BATCH_EVENTS = 10_000
MAX_SPAN_MS = 24 * 3600 * 1000
MAX_AGE_MS = 14 * 24 * 3600 * 1000  # older log events are rejected


class LogEvent(NamedTuple):
    """One record as CloudWatch Logs takes it."""

    timestamp: int  # milliseconds since 1970
    message: str


Batch = Sequence[LogEvent]


class _Time(msgspec.Struct, gc=False):
    time: str = msgspec.field(name="eventTime", default="")


_decoder = msgspec.json.Decoder(_Time)


def make_batches(chunks: Iterable[Chunk], *, now_ms: int) -> Iterator[Batch]:
    """Batches in ascending time, each within every limit of PutLogEvents.

    A log event carries its record's eventTime (UNCONFIRMED for CloudTrail; it is
    what a reader searches by), or ``now_ms`` where that is missing or too old for
    CloudWatch Logs to take. Records above 256 KB are left out, as CloudTrail does.
    """
    events = sorted(_events(chunks, now_ms), key=lambda event: event.timestamp)
    batch: list[LogEvent] = []
    size = 0
    for event in events:
        cost = len(event.message.encode()) + EVENT_OVERHEAD
        full = size + cost > MAX_BATCH_BYTES or len(batch) == MAX_BATCH_EVENTS
        if batch and (full or event.timestamp - batch[0].timestamp > MAX_SPAN_MS):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += cost
    if batch:
        yield batch


def _events(chunks: Iterable[Chunk], now_ms: int) -> Iterator[LogEvent]:
    for chunk in chunks:
        for line in chunk.lines.split(b"\n"):
            if len(line) <= MAX_EVENT_BYTES:
                yield LogEvent(_timestamp(line, now_ms), line.decode())


def _timestamp(line: bytes, now_ms: int) -> int:
    try:
        moment = int(from_iso(_decoder.decode(line).time).timestamp() * 1000)
    except (FormatError, msgspec.DecodeError, RecursionError):
        return now_ms
    return moment if now_ms - MAX_AGE_MS < moment <= now_ms else now_ms
