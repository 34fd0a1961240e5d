"""Ranges of addresses that are as good as the whole internet.

Source: S3 user guide, "Blocking public access to your Amazon S3 storage", "The meaning of 'public'":
broader than /8, or /32 for IPv6.
"""

from __future__ import annotations

from ipaddress import ip_network

BROADEST = {4: 8, 6: 32}  # bits of the prefix, by version of IP


def is_worldwide(cidr: str) -> bool | None:
    """Is the range that broad? None for what is no range."""
    try:
        network = ip_network(cidr, strict=False)
    except ValueError:
        return None
    return network.prefixlen < BROADEST[network.version]
