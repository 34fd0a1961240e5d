"""The bucket's log files against all digests together: none is missing from them, none stands beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from opentrail.errors import FormatError
from opentrail.format import keys, times
from opentrail.format.digest_file import Digest
from opentrail.model.report import Finding
from opentrail.pipeline.validate.chain import CheckedDigest
from opentrail.pipeline.validate.collect import Reading, Span, other_digests
from opentrail.pipeline.validate.files import check_listing

SLOT = timedelta(minutes=keys.SLOT_MINUTES)

Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Listing:
    """What is wrong with the listing of the log files, and what is only worth knowing."""

    findings: list[Finding]
    notes: list[str]


def check_bucket(
    reading: Reading, standard: Sequence[CheckedDigest], backfill: Sequence[CheckedDigest]
) -> Listing:
    """Hold the log files that came while digests were made to what those list.

    Files that came while none were made are nobody's: validation was off then,
    or somebody cut the digests away. That cannot be told from here, so it is noted.

    Raises:
        StorageError: the bucket could not be listed.
    """
    digests = [c.digest for c in (*standard, *backfill) if c.digest is not None]
    covered = _covered([c.digest for c in standard if c.digest is not None])
    found = [
        (bucket, key)
        for bucket, prefix in _locations(reading.span, digests)
        for folder in _folders(digests)
        for key in _log_keys(reading, bucket, prefix, folder)
    ]
    notes = _uncovered_notes(reading.span, covered, [key for _, key in found])
    if not covered:
        return Listing([], notes)
    inside = [(bucket, key) for bucket, key in found if _came_within(key, covered)]
    return Listing(check_listing(digests, list(other_digests(reading)), inside), notes)


def _folders(digests: Sequence[Digest]) -> list[str]:
    """The folders whose files this trail digests.

    Whether CloudTrail digests Insight and network activity files is not
    documented (UNCONFIRMED): where no digest lists one, none is asked for.
    """
    listed = {_folder_of(file.key) for digest in digests for file in digest.files}
    return [keys.LOGS, *(folder for folder in (keys.INSIGHTS, keys.NETWORK) if folder in listed)]


def _folder_of(key: str) -> str:
    try:
        return keys.parse_log_key(key).folder
    except FormatError:
        return ""


def _locations(span: Span, digests: Sequence[Digest]) -> list[tuple[str, str]]:
    """(bucket, prefix) of everywhere the trail delivered to within the span."""
    places = {(span.bucket, span.prefix): None}
    for digest in digests:
        try:
            places[digest.bucket, keys.parse_digest_key(digest.key).prefix] = None
        except FormatError:
            continue  # found to be moved or misnamed already
    return list(places)


def _log_keys(reading: Reading, bucket: str, prefix: str, folder: str) -> Iterator[str]:
    span = reading.span
    root = keys.root(prefix, span.organization, span.place.account)
    return reading.archive.keys_under(bucket, f"{root}{folder}/{span.place.region}/")


def _covered(digests: Sequence[Digest]) -> list[Window]:
    """The times the digests speak for, windows that touch joined."""
    joined: list[Window] = []
    for digest in digests:
        start, end = times.from_iso(digest.start), times.from_iso(digest.end)
        if joined and joined[-1][1] == start:
            start = joined.pop()[0]
        joined.append((start, end))
    return joined


def _slot_of(key: str) -> datetime | None:
    try:
        return keys.parse_log_key(key).delivered
    except FormatError:
        return None


def _came_within(key: str, covered: Sequence[Window]) -> bool:
    """True for a file whose whole five-minute slot was digested, and for one not named as CloudTrail does."""
    slot = _slot_of(key)
    return slot is None or any(start <= slot and slot + SLOT < end for start, end in covered)


def _uncovered_notes(span: Span, covered: Sequence[Window], found: Sequence[str]) -> list[str]:
    slots = [slot for slot in map(_slot_of, found) if slot is not None]
    if not covered:
        count = sum(span.start <= slot <= span.end for slot in slots)
        return [f"{count} log files of {span.place.region} are in no digest: it has none"] if count else []
    notes = []
    for (_, begin), (end, _) in pairwise(covered):
        count = sum(begin <= slot and slot + SLOT < end for slot in slots)
        if count:
            notes.append(
                f"{count} log files came between {times.to_iso(begin)} and {times.to_iso(end)}, "
                "when no digests were made"
            )
    return notes
