"""Checks of each trail by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from opentrail.branches.doctor import bucket_fixes, trail_fixes
from opentrail.branches.doctor.facts import AccountFacts, TrailFacts, Unread
from opentrail.branches.doctor.verdict import Verdict, unread

DIGEST_LATE = timedelta(hours=3)  # one is made every hour, and delivery may be an hour behind


def logging(facts: AccountFacts) -> Iterator[Verdict]:
    """``trail-logging``."""
    for trail in facts.own_trails:
        stopped = trail.status.get("StopLoggingTime")
        evidence = "IsLogging is true" if trail.logging else f"IsLogging is false{_since(stopped)}"
        yield Verdict(trail.arn, trail.logging, evidence, trail_fixes.start_logging(trail))


def delivery(facts: AccountFacts) -> Iterator[Verdict]:
    """``delivery``: only of trails that log."""
    for trail in _logging(facts):
        error = trail.status.get("LatestDeliveryError")
        latest = trail.status.get("LatestDeliveryTime")
        evidence = f"LatestDeliveryError is {error}" if error else f"last log file{_at(latest)}"
        yield Verdict(trail.arn, not error, evidence, bucket_fixes.allow_delivery(trail))


def validation(facts: AccountFacts) -> Iterator[Verdict]:
    """``log-file-validation``."""
    for trail in facts.own_trails:
        evidence = f"LogFileValidationEnabled is {_lower(trail.validates)}"
        yield Verdict(trail.arn, trail.validates, evidence, trail_fixes.validate(trail))


def digests(facts: AccountFacts) -> Iterator[Verdict]:
    """``digests``: of trails that log and validate, from three hours after their start."""
    for trail in _logging(facts):
        if not trail.validates:
            continue
        error = trail.status.get("LatestDigestDeliveryError")
        latest = trail.status.get("LatestDigestDeliveryTime")
        expected = trail.status.get("StartLoggingTime")
        young = expected is not None and facts.now - expected < DIGEST_LATE
        fresh = latest is not None and facts.now - latest < DIGEST_LATE
        evidence = f"LatestDigestDeliveryError is {error}" if error else f"last digest{_at(latest)}"
        evidence += f"; logging since{_at(expected)[1:]}" if young and not fresh else ""
        yield Verdict(trail.arn, not error and (fresh or young), evidence, bucket_fixes.allow_delivery(trail))


def encryption(facts: AccountFacts) -> Iterator[Verdict]:
    """``encryption``."""
    for trail in facts.own_trails:
        match trail.key:
            case None:
                make = trail_fixes.encrypt(trail, facts.account)
                yield Verdict(trail.arn, False, "no KmsKeyId: S3's own keys encrypt", make)
            case Unread() as reason:
                yield unread(trail.arn, reason)
            case key if key.enabled:
                yield Verdict(trail.arn, True, f"KmsKeyId is {key.arn}")
            case key:
                yield Verdict(trail.arn, False, f"{key.arn} is {key.state}", trail_fixes.enable_key(key))


def key_rotation(facts: AccountFacts) -> Iterator[Verdict]:
    """``key-rotation``: each key once."""
    seen = set()
    for trail in facts.own_trails:
        match trail.key:
            case None:
                continue
            case Unread() as reason:
                yield unread(trail.key_arn, reason)
            case key if key.arn not in seen:
                seen.add(key.arn)
                evidence = f"automatic rotation is {'on' if key.rotates else 'off'}"
                yield Verdict(key.arn, key.rotates, evidence, trail_fixes.rotate_key(key))


def _logging(facts: AccountFacts) -> Iterator[TrailFacts]:
    return (trail for trail in facts.own_trails if trail.logging)


def _lower(value: bool) -> str:
    return str(value).lower()


def _at(moment: datetime | None) -> str:
    return f": {moment:%Y-%m-%dT%H:%M:%SZ}" if moment else ": none yet"


def _since(moment: datetime | None) -> str:
    return f" since {moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "; it was never started"
