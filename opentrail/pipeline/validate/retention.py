"""How S3 retains a trail's objects -> findings, where Object Lock was promised and is not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from opentrail.format import keys
from opentrail.model.report import Finding, Kind, Problem
from opentrail.pipeline.validate.collect import Span

# Retention is counted from the moment S3 took the object, which is not the moment it tells as
# the object's own to the second.
SLACK = timedelta(minutes=1)

# COMPLIANCE is the stricter one: nobody may shorten it, the root user neither.
STRICT_ENOUGH = {"GOVERNANCE": ("GOVERNANCE", "COMPLIANCE"), "COMPLIANCE": ("COMPLIANCE",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """An object, and how it is retained. Without retention ``mode`` is ""."""

    bucket: str
    key: str
    stored_at: datetime
    mode: str = ""
    until: datetime | None = None


class Vault(Protocol):
    """Maps to ``s3:ListBucket``, ``s3:GetObject`` and ``s3:GetObjectRetention``."""

    def retained(self, bucket: str, prefixes: Iterable[str]) -> Iterable[Retained]:
        """Every object under each prefix. Raises ``StorageError``."""


def check_retention(vault: Vault, span: Span, *, mode: str, days: int) -> Iterator[Finding]:
    """Every digest and log file of the span's days that is not retained by ``mode`` for ``days``.

    Only the present bucket is looked at, for that is what the option speaks of. What is
    retained longer, or more strictly, is fine; so is what was retained and no longer is,
    because its days are over.

    Raises:
        StorageError: something could not be looked at.
    """
    for found in vault.retained(span.bucket, list(day_folders(span))):
        if not is_retained(found, mode=mode, days=days):
            kind = Kind.DIGEST if f"/{keys.DIGESTS}/" in found.key else Kind.LOG
            yield Finding(kind, found.bucket, found.key, Problem.NOT_LOCKED, _told(found))


def is_retained(found: Retained, *, mode: str, days: int) -> bool:
    """True when ``found`` is, or was, retained as long and as strictly as asked."""
    if found.until is None or found.mode not in STRICT_ENOUGH[mode]:
        return False
    return found.until >= found.stored_at + timedelta(days=days) - SLACK


def day_folders(span: Span) -> Iterator[str]:
    """The folders of the span's days: CloudTrail sorts its files by days."""
    root = keys.root(span.prefix, span.organization, span.place.account)
    for folder in (keys.DIGESTS, keys.LOGS, keys.INSIGHTS, keys.NETWORK):
        day = span.start.replace(hour=0, minute=0, second=0, microsecond=0)
        while day <= span.end:
            yield f"{root}{folder}/{span.place.region}/{day:%Y/%m/%d}/"
            day += timedelta(days=1)


def _told(found: Retained) -> str:
    return f"{found.mode} until {found.until:%Y-%m-%dT%H:%M:%SZ}" if found.until else "no retention"
