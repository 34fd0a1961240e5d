"""When a chain's windows end.

Windows of one chain touch each other and all end at the same offset within the
period; the first one is shorter, for it begins when the trail does (AWS does
not document its length; UNCONFIRMED, this keeps every later one whole).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from opentrail.format import times
from opentrail.model.digest import Chain


def window_start(chain: Chain) -> datetime:
    """Where the next window begins: at the end of the last one, or at the chain's start."""
    if chain.end:
        return times.from_iso(chain.end)
    return times.from_epoch(chain.started_at).replace(microsecond=0)


def next_end(start: datetime, period_seconds: int) -> datetime:
    """The first boundary after ``start``: boundaries are whole periods since 1970."""
    passed = int(start.timestamp()) // period_seconds
    return times.from_epoch((passed + 1) * period_seconds)


def due_windows(
    chain: Chain, *, now: datetime, period_seconds: int, close_now: bool
) -> Iterator[tuple[datetime, datetime]]:
    """The windows that are over at ``now``, oldest first.

    With ``close_now`` the running window is ended early, at ``now``; a window
    lasts one second at least, so that two digests never share a name.
    """
    start = window_start(chain)
    end = next_end(start, period_seconds)
    while end <= now:
        yield start, end
        start, end = end, end + timedelta(seconds=period_seconds)
    if close_now:
        yield start, max(now.replace(microsecond=0), start + timedelta(seconds=1))
