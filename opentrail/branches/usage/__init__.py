"""What was delivered, trail by trail and day by day.

in: log file
out: usage
needs: rows of files
"""

from opentrail.branches.usage.days import Shelf, roll_up_days, sum_files

__all__ = ["Shelf", "roll_up_days", "sum_files"]
