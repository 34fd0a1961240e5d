"""Insights: unusual rates of calls and of errors, found from the counts in event history.

in: segment
out: insight event
needs: nothing
"""

from opentrail.branches.insights.baseline import Baseline, Sensitivity
from opentrail.branches.insights.detector import Ended, Started, Transition, Watch
from opentrail.branches.insights.replay import replay
from opentrail.branches.insights.series import Series, find_gaps

__all__ = [
    "Baseline",
    "Ended",
    "Sensitivity",
    "Series",
    "Started",
    "Transition",
    "Watch",
    "find_gaps",
    "replay",
]
