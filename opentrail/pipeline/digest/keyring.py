"""Which key signs which digest, and from when to when each key may be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from opentrail.format import times
from opentrail.model.signing_key import SigningKey

# Validity windows reach this far beyond the time in which a key signs, on both sides, so those of
# neighbours overlap. UNCONFIRMED: AWS publishes windows that overlap, and not by how much. A day is
# as long as the longest digest window, and far longer than clocks differ.
MARGIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeyWindow:
    """A key, and when a digest that is signed with it may end."""

    key: SigningKey
    valid_from: datetime
    valid_to: datetime

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """True when it is valid at some moment between the two."""
        return self.valid_from <= end and self.valid_to >= start


def key_for(keys: Sequence[SigningKey], end: datetime) -> SigningKey:
    """The key that was current when a digest's window ended; ``keys`` are ready ones, oldest first.

    So a run that catches up signs each window with the key of its time. What ended
    before the first key began is signed with the first.
    """
    current = keys[0]
    for key in keys[1:]:
        if key.since <= end.timestamp():
            current = key
    return current


def windows_of(keys: Sequence[SigningKey], now: datetime) -> list[KeyWindow]:
    """The validity of each of ``keys`` (ready ones, oldest first).

    A key is valid until its successor took over, and the newest until its successor
    is due. Where that is late, the newest stays valid: digests go on being signed.
    """
    ends = [times.from_epoch(newer.since) for _, newer in pairwise(keys)]
    ends += [max(times.from_epoch(key.planned_until), now) for key in keys[-1:]]
    return [
        KeyWindow(key, times.from_epoch(key.since) - MARGIN, end + MARGIN)
        for key, end in zip(keys, ends, strict=True)
    ]
