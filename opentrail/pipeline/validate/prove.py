"""A span of a trail's time -> its report: which digests to read, from where, and what is judged of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opentrail.errors import FormatError
from opentrail.format import digest_file, keys, times
from opentrail.format.digest_file import Digest, ListedFile
from opentrail.model.digest import Link
from opentrail.model.event import Place
from opentrail.model.report import Finding, Kind, Problem, Report
from opentrail.pipeline.validate.chain import (
    CheckedDigest,
    PublicKey,
    StoredObject,
    check_chain,
    check_digest,
    check_head,
    gaps_of,
    generated_at,
)
from opentrail.pipeline.validate.files import check_listing
from opentrail.pipeline.validate.ports import Archive, KeySource

KEY_MARGIN = timedelta(hours=2)  # a digest may be signed shortly after its window ended
BACKFILL_MARGIN = timedelta(hours=1)  # around a backfill digest's generation, as validate-logs has it
SLOT = timedelta(minutes=keys.SLOT_MINUTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What to look at: one chain, between two moments."""

    trail_arn: str
    bucket: str
    prefix: str
    organization: str
    place: Place
    start: datetime
    end: datetime

    @property
    def trail(self) -> str:
        """The trail's name."""
        return self.trail_arn.rpartition("/")[2]

    @property
    def home_region(self) -> str:
        """The trail's home Region."""
        return self.trail_arn.split(":")[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known from outside the bucket of how far the digests go."""

    head: Link | None = None  # the newest digest: from the ledger, or written down before
    delivered_at: datetime | None = None  # when the newest digest was delivered (GetTrailStatus)


@dataclass(frozen=True, slots=True)
class _Run:
    archive: Archive
    key_source: KeySource
    span: Span
    public_keys: dict[str, PublicKey]


def prove(
    archive: Archive,
    key_source: KeySource,
    span: Span,
    *,
    evidence: Evidence | None = None,
    on_logs: Callable[[int], Callable[[int], None]] = lambda count: lambda done: None,
) -> Report:
    """Read the span's digests and everything they list, and judge all of it.

    Digests are followed into other buckets where the trail was moved.

    Args:
        archive: the buckets.
        key_source: public keys.
        span: what to look at.
        evidence: what the bucket alone cannot tell.
        on_logs: told how many log files there are; what it returns hears of progress.

    Raises:
        StorageError: something could not be fetched, so nothing is proven.
    """
    run = _Run(archive, key_source, span, dict(key_source.public_keys(span.start, span.end + KEY_MARGIN)))
    standard = _collect(run, backfill=False)
    backfill = _collect(run, backfill=True)
    listed = _distinct(file for c in (*standard, *backfill) if c.digest for file in c.digest.files)
    log_findings = list(archive.judge_logs(listed, on_logs(len(listed))))
    digest_findings = [finding for c in (*standard, *backfill) for finding in c.findings]
    digest_findings += check_chain(standard) + check_chain(backfill, backfill=True)
    digest_findings += _end_findings(span, standard, evidence or Evidence())
    findings = [*digest_findings, *log_findings, *_listing_findings(run, standard, backfill)]
    return _report(span, standard, backfill, listed, findings)


def prove_chain(
    archive: Archive, key_source: KeySource, span: Span, *, evidence: Evidence | None = None
) -> tuple[Link | None, tuple[Finding, ...]]:
    """Judge the span's digests without their log files: the head they lead to, and what is wrong.

    Raises:
        StorageError: something could not be fetched.
    """
    run = _Run(archive, key_source, span, dict(key_source.public_keys(span.start, span.end + KEY_MARGIN)))
    checked = _collect(run, backfill=False)
    findings = [finding for c in checked for finding in c.findings] + check_chain(checked)
    findings += _end_findings(span, checked, evidence or Evidence())
    newest = next((c for c in reversed(checked) if c.digest is not None), None)
    if newest is None:
        return None, tuple(findings)
    head = Link(
        bucket=newest.stored.bucket,
        key=newest.stored.key,
        sha256=newest.sha256,
        signature=newest.stored.metadata.get(digest_file.SIGNATURE_METADATA, ""),
    )
    return head, tuple(findings)


def _distinct(files: Iterator[ListedFile]) -> list[ListedFile]:
    """Each file once; one that is listed with two hashes is judged by both."""
    return list({(file.bucket, file.key, file.sha256): file for file in files}.values())


def _report(
    span: Span,
    standard: Sequence[CheckedDigest],
    backfill: Sequence[CheckedDigest],
    listed: Sequence[ListedFile],
    findings: Sequence[Finding],
) -> Report:
    bad = {(f.bucket, f.key) for f in findings if f.kind is Kind.DIGEST}
    bad_logs = {(f.bucket, f.key) for f in findings if f.kind is Kind.LOG}
    late = {(c.stored.bucket, c.stored.key) for c in backfill}
    present = {(c.stored.bucket, c.stored.key) for c in standard}
    return Report(
        trail_arn=span.trail_arn,
        start=times.to_iso(span.start),
        end=times.to_iso(span.end),
        digests=len(present | (bad - late)),
        digests_valid=len(present - bad),
        backfill_digests=len(late),
        backfill_digests_valid=len(late - bad),
        logs=len(listed),
        logs_valid=sum((file.bucket, file.key) not in bad_logs for file in listed),
        findings=tuple(findings),
        notes=tuple(gaps_of(standard)),
    )


def _collect(run: _Run, *, backfill: bool) -> list[CheckedDigest]:
    """The chain's digests, oldest first, from every bucket it leads to; the named but missing ones too."""
    span = run.span
    found: dict[tuple[str, str], CheckedDigest] = {}
    places = _digest_places(run, span.bucket, span.prefix, backfill=backfill)
    while True:
        for stored in run.archive.fetch_all([place for place in places if place not in found]):
            found[stored.bucket, stored.key] = check_digest(stored, _keys_for(run, stored))
        ordered = sorted(found.values(), key=lambda c: keys.parse_digest_key(c.stored.key).end)
        named = _named_before(span, ordered)
        if named is None or named in found:
            return ordered
        try:
            prefix = keys.parse_digest_key(named[1]).prefix
        except FormatError:
            return ordered  # what it names is no digest of any trail; check_digest says so
        places = [*_digest_places(run, named[0], prefix, backfill=backfill), named]


def _named_before(span: Span, ordered: Sequence[CheckedDigest]) -> tuple[str, str] | None:
    """What the oldest digest says lies before it, where that is still within the span."""
    oldest = next((c.digest for c in ordered if c.digest is not None), None)
    if oldest is None or oldest.start < times.to_iso(span.start):
        return None
    if not oldest.previous_bucket or not oldest.previous_key:
        return None
    return oldest.previous_bucket, oldest.previous_key


def _keys_for(run: _Run, stored: StoredObject) -> Mapping[str, PublicKey]:
    """The keys that may have signed it. A backfill digest's key is that of the time it was generated at."""
    try:
        moment = generated_at(stored)
    except FormatError:
        return run.public_keys  # check_digest says so
    if moment is not None and not run.span.start.timestamp() <= moment <= run.span.end.timestamp():
        around = times.from_epoch(moment)
        more = run.key_source.public_keys(around - BACKFILL_MARGIN, around + BACKFILL_MARGIN)
        run.public_keys.update({name: key for name, key in more.items() if name not in run.public_keys})
    return run.public_keys


def _digest_places(
    run: _Run, bucket: str, prefix: str, *, backfill: bool, of_others: bool = False
) -> list[tuple[str, str]]:
    """(bucket, key) of the span's digests: this trail's, or those of others that deliver there too."""
    span = run.span
    folder = keys.digest_folder(prefix=prefix, organization=span.organization, place=span.place)
    found = []
    for key in run.archive.keys_under(bucket, folder):
        try:
            parsed = keys.parse_digest_key(key)
        except FormatError:
            continue  # not named like a digest, so no digest of any trail
        ours = (parsed.trail, parsed.home_region) == (span.trail, span.home_region)
        wanted = of_others or parsed.backfill is backfill
        if ours is not of_others and wanted and span.start <= parsed.end <= span.end:
            found.append((bucket, key))
    return found


def _end_findings(span: Span, standard: Sequence[CheckedDigest], evidence: Evidence) -> list[Finding]:
    """Digests that were cut off the end, by what is known from outside the bucket."""
    findings = []
    if evidence.head is not None and _within(span, evidence.head.key):
        findings += check_head(standard, evidence.head)
    newest = next((c for c in reversed(standard) if c.digest is not None), None)
    delivered = evidence.delivered_at
    if findings or delivered is None or not span.start <= delivered <= span.end:
        return findings
    told = f"the trail's newest was delivered at {times.to_iso(delivered)}"
    if newest is None or newest.digest is None:
        folder = keys.digest_folder(prefix=span.prefix, organization=span.organization, place=span.place)
        return [Finding(Kind.DIGEST, span.bucket, folder, Problem.NO_DIGESTS, told)]
    window = times.from_iso(newest.digest.end) - times.from_iso(newest.digest.start)
    if delivered - times.from_iso(newest.digest.end) > window + SLOT + SLOT:
        findings.append(
            Finding(Kind.DIGEST, newest.stored.bucket, newest.stored.key, Problem.MISSING_DIGESTS, told)
        )
    return findings


def _within(span: Span, key: str) -> bool:
    try:
        return span.start <= keys.parse_digest_key(key).end <= span.end
    except FormatError:
        return True  # a head that is no digest's key matches nothing, and that is found


def _listing_findings(
    run: _Run, standard: Sequence[CheckedDigest], backfill: Sequence[CheckedDigest]
) -> list[Finding]:
    """Log files that came while digests were made, and that none names."""
    digests = [c.digest for c in (*standard, *backfill) if c.digest is not None]
    covered = _covered([c.digest for c in standard if c.digest is not None])
    if not covered:
        return []
    found = [
        (bucket, key)
        for bucket, prefix in _locations(run.span, digests)
        for folder in (keys.LOGS, keys.INSIGHTS, keys.NETWORK)
        for key in _log_keys(run, bucket, prefix, folder)
        if _came_within(key, covered)
    ]
    return check_listing(digests, list(_other_digests(run)), found)


def _locations(span: Span, digests: Sequence[Digest]) -> list[tuple[str, str]]:
    """(bucket, prefix) of everywhere the trail delivered to within the span."""
    places = {(span.bucket, span.prefix): None}
    for digest in digests:
        try:
            places[digest.bucket, keys.parse_digest_key(digest.key).prefix] = None
        except FormatError:
            continue  # found to be moved or misnamed already
    return list(places)


def _log_keys(run: _Run, bucket: str, prefix: str, folder: str) -> Iterator[str]:
    root = keys.root(prefix, run.span.organization, run.span.place.account)
    return run.archive.keys_under(bucket, f"{root}{folder}/{run.span.place.region}/")


def _covered(digests: Sequence[Digest]) -> list[tuple[datetime, datetime]]:
    """The times the digests speak for, windows that touch joined. Files that come between are nobody's."""
    joined: list[tuple[datetime, datetime]] = []
    for digest in digests:
        start, end = times.from_iso(digest.start), times.from_iso(digest.end)
        if joined and joined[-1][1] == start:
            start = joined.pop()[0]
        joined.append((start, end))
    return joined


def _came_within(key: str, covered: Sequence[tuple[datetime, datetime]]) -> bool:
    """True for a file whose whole five-minute slot was digested, and for one not named as CloudTrail does."""
    try:
        slot = keys.parse_log_key(key).delivered
    except FormatError:
        return True
    return any(start <= slot and slot + SLOT < end for start, end in covered)


def _other_digests(run: _Run) -> Iterator[Digest]:
    """What other trails' digests list is theirs, provided that they are genuine."""
    places = _digest_places(run, run.span.bucket, run.span.prefix, backfill=False, of_others=True)
    for stored in run.archive.fetch_all(places):
        checked = check_digest(stored, _keys_for(run, stored))
        if checked.digest is not None and not checked.findings:
            yield checked.digest
