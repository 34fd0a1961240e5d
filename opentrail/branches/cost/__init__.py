"""What was delivered -> what CloudTrail would charge for it, and what this deployment costs.

in: usage
out: bill
needs: prices
"""

from opentrail.branches.cost.charges import Line, cloudtrail_charge
from opentrail.branches.cost.drivers import largest, own_cost
from opentrail.branches.cost.estimate import Workload, estimate
from opentrail.branches.cost.load import Load, Measured
from opentrail.branches.cost.metered import GROUPS, combine, group, load_of, of_trails
from opentrail.branches.cost.prices import Price, PriceList, load_prices
from opentrail.branches.cost.storage import Keeping

__all__ = [
    "GROUPS",
    "Keeping",
    "Line",
    "Load",
    "Measured",
    "Price",
    "PriceList",
    "Workload",
    "cloudtrail_charge",
    "combine",
    "estimate",
    "group",
    "largest",
    "load_of",
    "load_prices",
    "of_trails",
    "own_cost",
]
