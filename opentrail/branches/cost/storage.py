"""What bytes in S3 cost until they go, through the storage classes of the log bucket's lifecycle."""

from __future__ import annotations

from dataclasses import dataclass

from opentrail.branches.cost.prices import PriceList

MONTH_DAYS = 30.4375  # a twelfth of a year
GB = 1024**3

# S3 user guide, "Understanding and managing Amazon S3 storage classes".
INSTANT_MIN_BYTES = 128 * 1024  # least that is billed of an object in Glacier Instant Retrieval
ARCHIVE_OVERHEAD_BYTES = 40 * 1024  # added to each object in Deep Archive; 8 KB of it stays in S3 Standard


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How long files stay where. Days as in the options of the stacks; 0 means never."""

    months: float = 12.0
    glacier_days: int = 0
    deep_archive_days: int = 0


def storage_cost(size: float, files: float, keeping: Keeping, prices: PriceList) -> float:
    """What ``size`` bytes in so many ``files`` cost from their delivery until they go.

    S3 moves no object under 128 KB by lifecycle unless the rule says so, and our rules do not.

    Source: S3 user guide, "Transitioning objects using Amazon S3 Lifecycle": the default of
    ``TransitionDefaultMinimumObjectSize`` since September 2024.
    """
    days = keeping.months * MONTH_DAYS
    small = not files or size / files < INSTANT_MIN_BYTES
    stays = days if small else _first(keeping.glacier_days, keeping.deep_archive_days, days)
    cost = prices["s3_standard"].of(size / GB * stays / MONTH_DAYS)
    if small or stays == days:
        return cost
    instant_until = _first(keeping.deep_archive_days, days)
    if keeping.glacier_days and keeping.glacier_days < instant_until:
        cost += prices["s3_to_glacier_instant"].of(files)
        cost += prices["s3_glacier_instant"].of(size / GB * (instant_until - stays) / MONTH_DAYS)
    if instant_until < days:
        billed = size + files * ARCHIVE_OVERHEAD_BYTES
        cost += prices["s3_to_deep_archive"].of(files)
        cost += prices["s3_deep_archive"].of(billed / GB * (days - instant_until) / MONTH_DAYS)
    return cost


def _first(*days: float) -> float:
    """The earliest that ever comes."""
    return min(day for day in days if day)
