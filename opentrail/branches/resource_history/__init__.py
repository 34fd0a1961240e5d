"""What happened to one resource: the calls that touched it, and what AWS Config saw change.

in: calls and configuration items of one resource
out: steps, newest first, each with what changed and the calls that may have done it
needs: nothing
"""

from opentrail.branches.resource_history.difference import Difference, differences
from opentrail.branches.resource_history.join import Call, Item, Step, join
from opentrail.branches.resource_history.named import Named, read_arn

__all__ = ["Call", "Difference", "Item", "Named", "Step", "differences", "join", "read_arn"]
