"""A file of a trail -> the counts of its data events, for Insights."""

from __future__ import annotations

from collections.abc import Sequence

from opentrail.branches.history.attributes import read_records
from opentrail.branches.history.tally import DATA, Tally
from opentrail.model.event import Place
from opentrail.model.history import DataCounts
from opentrail.model.log_file import LogFile


def count_data_events(place: Place, trail: str, file: LogFile, pieces: Sequence[bytes]) -> DataCounts | None:
    """The counts of ``file``, whose records are the lines of ``pieces``; None without any data event."""
    tally = Tally(DATA)
    for piece in pieces:
        tally.add(read_records(piece))
    if not tally:
        return None
    return DataCounts(place=place, trail=trail, key=file.key, counts=tally.counts(), callers=tally.callers())
