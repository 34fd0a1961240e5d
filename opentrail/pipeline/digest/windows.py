"""When a chain's windows end.

Windows of one chain touch each other and all end at the same offset within the
period; the first one is shorter, for it begins when the trail does (AWS does
not document its length; UNCONFIRMED, this keeps every later one whole).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from opentrail.format import times
from opentrail.model.digest import Chain
from opentrail.model.log_file import FileRow


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


def late_window(chain: Chain, late: Sequence[FileRow], period_seconds: int) -> tuple[datetime, datetime]:
    """The window of a backfill digest: that in which its files were delivered, if it still has none.

    Readers order digests by their ends, so each backfill digest ends after the one
    before it, in its name at least. (AWS does not say how it orders them; UNCONFIRMED.)
    """
    created = [row.file.created_at for row in late]
    start = next_end(times.from_epoch(min(created)), period_seconds) - timedelta(seconds=period_seconds)
    last = times.from_iso(chain.end)
    end = min(next_end(times.from_epoch(max(created)), period_seconds), last)
    if chain.backfill_end:
        before = times.from_iso(chain.backfill_end)
        if end <= before:
            end = max(last, before + timedelta(seconds=1))
    return start, end
