"""Which Regions there are, as far as the botocore that is installed knows."""

from __future__ import annotations

from functools import cache

from botocore.loaders import Loader


@cache
def known_regions() -> frozenset[str]:
    """The names of all Regions of all partitions.

    Callers name Regions in ARNs. Asking one that does not exist ends in a
    failed name look-up after many seconds, which is no answer for a caller.
    """
    partitions = Loader().load_data("endpoints")["partitions"]
    return frozenset(region for partition in partitions for region in partition["regions"])
