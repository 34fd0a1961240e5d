"""An EventBridge event on the intake queue -> the record in it, byte for byte.

Source: EventBridge user guide, "AWS service events delivered via CloudTrail":
``detail`` is the complete record, ``account`` and ``region`` name the bus it
was put on, ``time`` is the event's time.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from opentrail.errors import FormatError
from opentrail.format.event import parse_event
from opentrail.model.event import Event, Place


class _Envelope(msgspec.Struct, gc=False):
    account: str
    region: str
    time: str
    detail: msgspec.Raw


_bus = lru_cache(maxsize=1024)(Place)  # buses are few
_decoder = msgspec.json.Decoder(_Envelope)


def parse_envelope(body: str, *, arrived_at: float) -> Event:
    """Take the record out of one EventBridge event.

    Args:
        body: the SQS message body.
        arrived_at: when the queue took the message, epoch seconds.

    Raises:
        FormatError: not an EventBridge event, or its detail is not a record.
    """
    try:
        envelope = _decoder.decode(body.encode())
    except UnicodeEncodeError as error:
        raise FormatError(f"message is not UTF-8: {error}") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise FormatError(f"message is not an EventBridge event: {error}") from error
    return parse_event(
        bytes(envelope.detail),
        arrived=_bus(envelope.account, envelope.region),
        arrived_at=arrived_at,
        arrived_time=envelope.time,
    )
