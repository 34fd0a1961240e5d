"""Account facts -> one verdict per check and thing it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from opentrail.branches.doctor import account_checks, bucket_checks, trail_checks
from opentrail.branches.doctor.catalogue import Check, checks
from opentrail.branches.doctor.facts import AccountFacts
from opentrail.branches.doctor.verdict import NO_FIX, Fix, Verdict

Judge = Callable[[AccountFacts], Iterator[Verdict]]

_JUDGES: dict[str, Judge] = {
    "multi-region-trail": account_checks.multi_region_trail,
    "trail-logging": trail_checks.logging,
    "delivery": trail_checks.delivery,
    "log-file-validation": trail_checks.validation,
    "digests": trail_checks.digests,
    "bucket-not-public": bucket_checks.not_public,
    "bucket-versioned": bucket_checks.versioned,
    "bucket-locked": bucket_checks.locked,
    "bucket-policy": bucket_checks.named_trails,
    "bucket-tls": bucket_checks.tls_only,
    "bucket-access-logs": bucket_checks.access_logs,
    "retention": bucket_checks.retention,
    "encryption": trail_checks.encryption,
    "key-rotation": trail_checks.key_rotation,
    "log-group": account_checks.log_group,
    "alarms": account_checks.alarms,
    "insights": account_checks.insights,
    "data-events": account_checks.data_events,
    "organization-trail": account_checks.organization_trail,
}


class Outcome(StrEnum):
    """What came of a check."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"  # it could not be looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One check of one thing."""

    check: Check
    outcome: Outcome
    subject: str  # an ARN, a bucket's name, or the account
    evidence: str
    # Shell commands that make a FAIL pass; none where an earlier one does, or only a person can.
    fix: tuple[str, ...] = ()


def diagnose(facts: AccountFacts) -> tuple[Diagnosis, ...]:
    """Make every check, in the catalogue's order.

    A check about trails says nothing where there are none; the first one says so. Each fix
    takes the earlier ones as made, so that all of them can be run in this order.
    """
    found: list[Diagnosis] = []
    repaired = facts
    for name, judge in _JUDGES.items():
        for number, verdict in enumerate(judge(facts)):
            later = list(judge(repaired))[number]
            fix = later.fix if later.holds is False else NO_FIX
            if verdict.holds is False:
                repaired = fix.applied_to(repaired)
            found.append(_diagnosis(checks()[name], verdict, fix))
    return tuple(found)


def _diagnosis(check: Check, verdict: Verdict, fix: Fix) -> Diagnosis:
    return Diagnosis(
        check=check,
        outcome=_outcome(verdict),
        subject=verdict.subject,
        evidence=verdict.evidence,
        fix=fix.commands if verdict.holds is False else (),
    )


def _outcome(verdict: Verdict) -> Outcome:
    if verdict.holds is None:
        return Outcome.UNKNOWN
    return Outcome.PASS if verdict.holds else Outcome.FAIL
