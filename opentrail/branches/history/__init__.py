"""Event history: what LookupEvents answers from, whatever the trails say.

in: log file
out: segment
needs: nothing
"""

from opentrail.branches.history.blocks import bind_segments
from opentrail.branches.history.data_counts import count_data_events
from opentrail.branches.history.known import known_events
from opentrail.branches.history.lookup import Found, Lookup, Page, Position, find_events
from opentrail.branches.history.ports import IndexEntry, SegmentFiles, SegmentIndex
from opentrail.branches.history.rollup import RolledUp, roll_up
from opentrail.branches.history.segment import build_segment, holds_value

__all__ = [
    "Found",
    "IndexEntry",
    "Lookup",
    "Page",
    "Position",
    "RolledUp",
    "SegmentFiles",
    "SegmentIndex",
    "bind_segments",
    "build_segment",
    "count_data_events",
    "find_events",
    "holds_value",
    "known_events",
    "roll_up",
]
