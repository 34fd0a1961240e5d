"""What was delivered, as a meter counts it. Made by deliver, summed by digest, priced by the command line."""

from __future__ import annotations

from collections.abc import Iterable
from operator import add

import msgspec

from opentrail.model.event import Place


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The counts of one log file, or of many.

    A management event that several trails want is the first copy in the oldest of them
    and a further copy in each other one. Insights analyse an event once per type.
    """

    events: int = 0  # records, of whatever kind
    first: int = 0  # management events of which this is the first copy
    copies: int = 0  # management events of which another trail has the first copy
    data: int = 0  # data events
    network: int = 0  # network activity events
    insights: int = 0  # Insight events themselves
    analysed: int = 0  # management events that Insights analyse
    analysed_data: int = 0  # data events that Insights analyse
    arrived: int = 0  # events for which this is the first destination at all: each event once
    chunks: int = 0  # likewise of the messages they came in
    claims: int = 0  # those messages, once per destination
    files: int = 0
    bytes: int = 0  # of the files, compressed

    def __add__(self, other: Usage) -> Usage:
        return Usage(**dict(zip(FIELDS, map(add, _values(self), _values(other)), strict=True)))


FIELDS = Usage.__struct_fields__


def _values(usage: Usage) -> list[int]:
    return [getattr(usage, name) for name in FIELDS]


def total(usages: Iterable[Usage]) -> Usage:
    """Their sum."""
    return sum(usages, Usage())


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one trail, or event history, had delivered of one account and Region on one day."""

    day: str  # "2026-01-10", UTC, of delivery
    destination: str  # the trail's ARN, or HISTORY
    place: Place
    usage: Usage
