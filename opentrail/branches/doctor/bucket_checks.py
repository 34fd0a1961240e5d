"""Checks of the buckets that trails deliver to, each bucket once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from opentrail.branches.doctor import bucket_fixes as fixes
from opentrail.branches.doctor.facts import AccountFacts, BucketFacts, TrailFacts, Unread
from opentrail.branches.doctor.verdict import Verdict, unread
from opentrail.format.iam_document import as_list, statements

CLOUDTRAIL = "cloudtrail.amazonaws.com"
_SOURCE_KEYS = {"aws:sourcearn", "aws:sourceaccount"}


def not_public(facts: AccountFacts) -> Iterator[Verdict]:
    """``bucket-not-public``."""

    def judge(bucket: BucketFacts, trails: list[TrailFacts]) -> Verdict:
        grants = [s for s in statements(bucket.policy) if s.get("Effect") == "Allow" and _anybody(s)]
        evidence = (
            "Block Public Access is on" if bucket.blocks_public else "Block Public Access is not all on"
        )
        if grants:
            evidence += f"; {len(grants)} statements of the policy allow anybody"
        return Verdict(
            bucket.name, bucket.blocks_public and not grants, evidence, fixes.block_public(bucket, grants)
        )

    return _each(facts, judge)


def versioned(facts: AccountFacts) -> Iterator[Verdict]:
    """``bucket-versioned``."""

    def judge(bucket: BucketFacts, trails: list[TrailFacts]) -> Verdict:
        evidence = "versioning is enabled" if bucket.versioned else "versioning is off"
        return Verdict(bucket.name, bucket.versioned, evidence, fixes.version(bucket))

    return _each(facts, judge)


def locked(facts: AccountFacts) -> Iterator[Verdict]:
    """``bucket-locked``."""

    def judge(bucket: BucketFacts, trails: list[TrailFacts]) -> Verdict:
        means = [f"Object Lock for {bucket.lock_days} days"] if bucket.lock_days else []
        means += ["MFA delete"] if bucket.mfa_delete else []
        evidence = " and ".join(means) or "neither Object Lock nor MFA delete"
        return Verdict(bucket.name, bool(means), evidence, fixes.lock(bucket))

    return _each(facts, judge)


def named_trails(facts: AccountFacts) -> Iterator[Verdict]:
    """``bucket-policy``."""

    def judge(bucket: BucketFacts, trails: list[TrailFacts]) -> Verdict:
        open_ones = [s for s in statements(bucket.policy) if _names_cloudtrail(s) and not _names_source(s)]
        evidence = (
            f"{len(open_ones)} statements for {CLOUDTRAIL} name no aws:SourceArn"
            if open_ones
            else "aws:SourceArn or aws:SourceAccount is asked for"
        )
        return Verdict(bucket.name, not open_ones, evidence, fixes.name_trails(bucket, open_ones, trails))

    return _each(facts, judge)


def tls_only(facts: AccountFacts) -> Iterator[Verdict]:
    """``bucket-tls``."""

    def judge(bucket: BucketFacts, trails: list[TrailFacts]) -> Verdict:
        refused = any(_refuses_plain(s) for s in statements(bucket.policy))
        evidence = (
            "requests without TLS are denied" if refused else "no statement denies requests without TLS"
        )
        return Verdict(bucket.name, refused, evidence, fixes.refuse_plain(bucket))

    return _each(facts, judge)


def access_logs(facts: AccountFacts) -> Iterator[Verdict]:
    """``bucket-access-logs``."""

    def judge(bucket: BucketFacts, trails: list[TrailFacts]) -> Verdict:
        target = bucket.logs_access_to
        evidence = f"server access logs go to {target}" if target else "no server access logs"
        return Verdict(bucket.name, bool(target), evidence, fixes.log_access(bucket))

    return _each(facts, judge)


def retention(facts: AccountFacts) -> Iterator[Verdict]:
    """``retention``."""

    def judge(bucket: BucketFacts, trails: list[TrailFacts]) -> Verdict:
        days = bucket.expire_days
        evidence = f"log files expire after {days} days" if days else "log files do not expire"
        return Verdict(bucket.name, not 0 < days < fixes.YEAR_DAYS, evidence, fixes.keep(bucket))

    return _each(facts, judge)


def _each(
    facts: AccountFacts, judge: Callable[[BucketFacts, list[TrailFacts]], Verdict]
) -> Iterator[Verdict]:
    by_bucket: dict[str, list[TrailFacts]] = {}
    for trail in facts.own_trails:
        by_bucket.setdefault(trail.bucket_name, []).append(trail)
    for name, trails in by_bucket.items():
        bucket = trails[0].bucket
        yield unread(name, bucket) if isinstance(bucket, Unread) else judge(bucket, trails)


def _anybody(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    aws = principal.get("AWS") if isinstance(principal, Mapping) else principal
    return "*" in as_list(aws) and not statement.get("Condition")


def _names_cloudtrail(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    services = as_list(principal.get("Service")) if isinstance(principal, Mapping) else []
    return statement.get("Effect") == "Allow" and CLOUDTRAIL in services


def _names_source(statement: Mapping[str, Any]) -> bool:
    conditions = statement.get("Condition") or {}
    return any(key.lower() in _SOURCE_KEYS for pairs in conditions.values() for key in pairs)


def _refuses_plain(statement: Mapping[str, Any]) -> bool:
    secure = (statement.get("Condition") or {}).get("Bool", {}).get("aws:SecureTransport")
    everybody = statement.get("Principal") in ("*", {"AWS": "*"})
    return statement.get("Effect") == "Deny" and everybody and str(secure).lower() == "false"
