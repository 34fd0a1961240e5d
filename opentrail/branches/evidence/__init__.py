"""Evidence: what an auditor takes along: how a trail was set up, what was proven, and where nothing is known.

in: object keys, report, diagnosis
out: evidence page
needs: nothing
"""

from opentrail.branches.evidence.coverage import Day, Hours, cover
from opentrail.branches.evidence.page import render

__all__ = ["Day", "Hours", "cover", "render"]
