"""Event history: what LookupEvents answers from, whatever the trails say.

in: log file
out: segment
needs: nothing
"""

from opentrail.branches.history.segment import build_segment, holds_value

__all__ = ["build_segment", "holds_value"]
