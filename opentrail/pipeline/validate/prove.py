"""A span of a trail's time -> its report: which digests to read, from where, and what is judged of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from opentrail.errors import FormatError
from opentrail.format import digest_file, keys, times
from opentrail.format.digest_file import ListedFile
from opentrail.model.digest import Head, Link
from opentrail.model.report import Finding, Kind, Problem, Report
from opentrail.pipeline.validate.anchored import check_anchored
from opentrail.pipeline.validate.chain import CheckedDigest, check_chain, check_head, gaps_of
from opentrail.pipeline.validate.collect import Reading, Span, collect, future_findings
from opentrail.pipeline.validate.listing import SLOT, check_bucket
from opentrail.pipeline.validate.ports import Archive, KeySource
from opentrail.pipeline.validate.trees import check_trees


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known from outside the bucket of how far the digests go."""

    head: Link | None = None  # the newest digest: from the ledger, or written down before
    anchored: tuple[Head, ...] = ()  # every head of the span that the anchor holds, oldest first
    delivered_at: datetime | None = None  # when the newest digest was delivered (GetTrailStatus)


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
    evidence = evidence or Evidence()
    reading = Reading.begin(archive, key_source, span)
    standard = collect(reading, backfill=False)
    backfill = collect(reading, backfill=True)
    listed = _distinct(file for c in (*standard, *backfill) if c.digest for file in c.digest.files)
    log_findings = list(archive.judge_logs(listed, on_logs(len(listed))))
    digest_findings = [finding for c in (*standard, *backfill) for finding in c.findings]
    digest_findings += check_chain(standard) + check_chain(backfill, backfill=True)
    digest_findings += _end_findings(span, standard, evidence) + future_findings(reading)
    listing = check_bucket(reading, standard, backfill)
    trees = check_trees(reading, [*standard, *backfill])
    findings = [*digest_findings, *log_findings, *listing.findings, *trees.findings]
    findings += _new(check_anchored(standard, backfill, trees.checked, evidence.anchored), findings)
    report = _report(span, standard, backfill, listed, findings, [*gaps_of(standard), *listing.notes])
    heads = len(trees.checked)
    return msgspec.structs.replace(report, tree_heads=heads, tree_heads_valid=heads - trees.invalid)


def prove_chain(
    archive: Archive, key_source: KeySource, span: Span, *, evidence: Evidence | None = None
) -> tuple[Link | None, tuple[Finding, ...]]:
    """Judge the span's digests without log files and trees: the head they lead to, and what is wrong.

    Raises:
        StorageError: something could not be fetched.
    """
    evidence = evidence or Evidence()
    checked = collect(Reading.begin(archive, key_source, span), backfill=False)
    findings = [finding for c in checked for finding in c.findings] + check_chain(checked)
    findings += _end_findings(span, checked, evidence)
    anchored = [
        msgspec.structs.replace(head, tree_root="") for head in evidence.anchored if not head.backfill
    ]
    findings += _new(check_anchored(checked, [], [], anchored), findings)
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


def _new(more: Sequence[Finding], known: Sequence[Finding]) -> list[Finding]:
    """``more`` without what is known: a missing digest shows by its neighbours and by the anchor."""
    said = {(finding.bucket, finding.key, finding.problem) for finding in known}
    return [finding for finding in more if (finding.bucket, finding.key, finding.problem) not in said]


def _distinct(files: Iterator[ListedFile]) -> list[ListedFile]:
    """Each file once; one that is listed with two hashes is judged by both."""
    return list({(file.bucket, file.key, file.sha256): file for file in files}.values())


def _report(
    span: Span,
    standard: Sequence[CheckedDigest],
    backfill: Sequence[CheckedDigest],
    listed: Sequence[ListedFile],
    findings: Sequence[Finding],
    notes: Sequence[str],
) -> Report:
    bad = {(f.bucket, f.key) for f in findings if f.kind is Kind.DIGEST}
    bad_logs = {(f.bucket, f.key) for f in findings if f.kind is Kind.LOG}
    late = {(c.stored.bucket, c.stored.key) for c in backfill}
    present = {(c.stored.bucket, c.stored.key) for c in standard}
    return Report(
        trail_arn=span.trail_arn,
        account=span.place.account,
        region=span.place.region,
        start=times.to_iso(span.start),
        end=times.to_iso(span.end),
        digests=len(present | (bad - late)),
        digests_valid=len(present - bad),
        backfill_digests=len(late),
        backfill_digests_valid=len(late - bad),
        logs=len(listed),
        logs_valid=sum((file.bucket, file.key) not in bad_logs for file in listed),
        findings=tuple(findings),
        notes=tuple(notes),
    )


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
