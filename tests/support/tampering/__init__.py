"""A trail whose bucket an attacker holds, and some hundred ways to change it: ``ATTACKS`` by name."""

from tests.support.tampering import disguises, on_the_bucket, on_the_ledger, trees, with_the_key
from tests.support.tampering.attack import ATTACKS, Attack
from tests.support.tampering.world import (
    ACCOUNT,
    ARN,
    BUCKET,
    DIGESTS,
    HOUR,
    QUIET,
    REGION,
    START,
    TRAIL,
    World,
    der_of,
    digest_name,
    fingerprint,
    iso,
    key_pair,
    log_name,
    pack,
)
from tests.support.tampering.world import make_world as _make_digests

__all__ = [
    "ACCOUNT",
    "ARN",
    "ATTACKS",
    "Attack",
    "BUCKET",
    "DIGESTS",
    "HOUR",
    "QUIET",
    "REGION",
    "START",
    "TRAIL",
    "World",
    "der_of",
    "digest_name",
    "disguises",
    "fingerprint",
    "iso",
    "key_pair",
    "log_name",
    "make_world",
    "on_the_bucket",
    "on_the_ledger",
    "pack",
    "trees",
    "with_the_key",
]


def make_world() -> World:
    """Eight digests of two log files each, one of a quiet hour, their trees, and two backfill digests."""
    world = _make_digests()
    trees.add_trees(world)
    return world
