"""What CloudTrail would charge for what was delivered, class by class."""

from __future__ import annotations

from dataclasses import dataclass

from opentrail.branches.cost.prices import PriceList
from opentrail.branches.cost.storage import Keeping, storage_cost
from opentrail.model.usage import Usage


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill."""

    name: str
    quantity: float
    unit: str
    dollars: float


def cloudtrail_charge(usage: Usage, keeping: Keeping, prices: PriceList) -> list[Line]:
    """The bill for ``usage`` of trails, event history left out, which CloudTrail keeps for nothing.

    The bucket's owner pays S3 for CloudTrail's files as for ours, so S3 is part of it.

    Source: https://aws.amazon.com/cloudtrail/pricing/ and CloudTrail user guide, "Costs for
    Insights events": write events are analysed once for each type, read events for error rates only.
    """
    return [
        Line("management events, first copy", usage.first, "events", 0.0),
        Line(
            "management events, more copies",
            usage.copies,
            "events",
            prices["cloudtrail_copy"].of(usage.copies),
        ),
        Line("data events", usage.data, "events", prices["cloudtrail_data"].of(usage.data)),
        Line(
            "network activity events",
            usage.network,
            "events",
            prices["cloudtrail_network"].of(usage.network),
        ),
        Line(
            "Insights, management events",
            usage.analysed,
            "analysed",
            prices["cloudtrail_insights"].of(usage.analysed),
        ),
        Line(
            "Insights, data events",
            usage.analysed_data,
            "analysed",
            prices["cloudtrail_insights_data"].of(usage.analysed_data),
        ),
        Line("S3 storage", usage.bytes, "bytes", storage_cost(usage.bytes, usage.files, keeping, prices)),
        Line("S3 requests", usage.files, "PUT", prices["s3_put"].of(usage.files)),
    ]
