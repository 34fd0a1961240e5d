"""What a back-fill reads: the folders of a CloudTrail bucket, and each one's log files by delivery."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from opentrail.format.keys import SLOT_MINUTES, LogKey
from opentrail.pipeline.record import Skipped, judge_key
from opentrail.pipeline.record.log_files import TAKEN

# [prefix/]AWSLogs/[o-id/]account/<folder>/<region>/: below it, keys sort by day and then by time.
_OF_ACCOUNT = re.compile(r"(?:.+/)?AWSLogs/(?:o-[a-z0-9]{10,32}/)?\d{12}/(?P<folder>[^/]+)/", re.ASCII)
_OF_REGION = re.compile(rf"{_OF_ACCOUNT.pattern}[a-z0-9-]+/", re.ASCII)


class Bucket(Protocol):
    """A listing. Maps to ``s3:ListBucket``."""

    def folders(self, bucket: str, prefix: str) -> list[str]:
        """The folders right below ``prefix``; raises ``StorageError``."""

    def objects(self, bucket: str, prefix: str, *, after: str = "") -> Iterator[tuple[str, int]]:
        """Key and bytes of each object below ``prefix`` behind ``after``, by key; raises ``StorageError``."""


class Listed(NamedTuple):
    """A log file that is to be read."""

    key: str
    size: int  # bytes, compressed


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Delivery times, both inclusive; by the five-minute slot in a file's name. None: without end."""

    start: datetime | None = None
    end: datetime | None = None

    def begins(self, folder: str) -> str:
        """What sorts before every key of ``folder`` from the day of ``start`` on, and behind all others."""
        return f"{folder}{self.start.astimezone(UTC):%Y/%m/%d}" if self.start else ""

    def is_before(self, key: LogKey) -> bool:
        """True when ``key`` was delivered too early."""
        if self.start is None:
            return False
        start = self.start.replace(minute=self.start.minute - self.start.minute % SLOT_MINUTES)
        return key.delivered < start.replace(second=0, microsecond=0)

    def is_over(self, key: LogKey) -> bool:
        """True when ``key``, and so every later one of its folder, was delivered too late."""
        return self.end is not None and key.delivered > self.end


def find_folders(files: Bucket, bucket: str, prefix: str) -> Iterator[str]:
    """The folders of one account and Region each, below ``prefix``; folders of other things are not listed.

    Raises:
        StorageError: S3 refused or did not answer.
    """
    deeper = _OF_REGION.match(prefix)
    if deeper:
        if deeper["folder"] in TAKEN:
            yield prefix
        return
    for folder in files.folders(bucket, prefix):
        of_account = _OF_ACCOUNT.match(folder)
        if of_account is None or of_account["folder"] in TAKEN:
            yield from find_folders(files, bucket, folder)


def list_files(files: Bucket, bucket: str, folder: str, when: Range, *, after: str = "") -> Iterator[Listed]:
    """The log files of ``folder`` that were delivered within ``when``, behind the key ``after``, in order.

    Raises:
        StorageError: S3 refused or did not answer.
    """
    region = _OF_REGION.match(folder)
    begin = when.begins(region[0]) if region else ""
    for key, size in files.objects(bucket, folder, after=max(after, begin)):
        judged = judge_key(key)
        if isinstance(judged, Skipped) or when.is_before(judged):
            continue
        if when.is_over(judged):
            return
        yield Listed(key, size)
