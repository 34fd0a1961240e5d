"""What was delivered -> what CloudTrail would charge for it, and what this deployment costs.

in: usage
out: bill
needs: prices
"""

from opentrail.branches.cost.charges import Line, cloudtrail_charge
from opentrail.branches.cost.drivers import largest, own_cost
from opentrail.branches.cost.estimate import Workload, estimate
from opentrail.branches.cost.load import Load
from opentrail.branches.cost.prices import Price, PriceList, load_prices
from opentrail.branches.cost.storage import Keeping

__all__ = [
    "Keeping",
    "Line",
    "Load",
    "Price",
    "PriceList",
    "Workload",
    "cloudtrail_charge",
    "estimate",
    "largest",
    "load_prices",
    "own_cost",
]
