"""Doctor: is this account's audit trail set up well, and what would make it so?

in: account facts
out: diagnosis
needs: nothing
"""

from opentrail.branches.doctor.catalogue import Check, checks
from opentrail.branches.doctor.diagnose import Diagnosis, Outcome, diagnose
from opentrail.branches.doctor.facts import (
    AccountFacts,
    BucketFacts,
    GroupFacts,
    KeyFacts,
    TrailFacts,
    Unread,
)

__all__ = [
    "AccountFacts",
    "BucketFacts",
    "Check",
    "Diagnosis",
    "GroupFacts",
    "KeyFacts",
    "Outcome",
    "TrailFacts",
    "Unread",
    "checks",
    "diagnose",
]
