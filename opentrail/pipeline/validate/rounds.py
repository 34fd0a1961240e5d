"""A round: every chain's last hours -> a verdict on each, for those who are told of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from opentrail.format import keys, times
from opentrail.model.digest import Chain, Head
from opentrail.model.event import Place
from opentrail.model.report import Finding, Kind, Problem, Report
from opentrail.model.trail import Trail
from opentrail.pipeline.validate.collect import KEY_MARGIN, Span
from opentrail.pipeline.validate.prove import Evidence

# An event holds 256 KB; the command line names all findings.
MAX_FINDINGS = 50


class Outcome(StrEnum):
    """What came of looking at a chain."""

    PROVEN = "PROVEN"
    FINDINGS = "FINDINGS"
    UNCHECKED = "UNCHECKED"  # there was nothing to prove it by, or it could not be read


class Verdict(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is published of one chain. Times are ISO 8601."""

    trail_arn: str
    account: str
    region: str
    start: str
    end: str
    outcome: Outcome
    digests: int = 0
    digests_valid: int = 0
    backfill_digests: int = 0
    backfill_digests_valid: int = 0
    log_files: int = 0
    log_files_valid: int = 0
    finding_count: int = 0
    findings: tuple[Finding, ...] = ()  # the first of them
    reason: str = ""  # why it is unchecked


def due_chains(
    chains: Iterable[Chain],
    trails: Iterable[Trail],
    *,
    anchored: Iterable[Head] = (),
    now: datetime,
    hours: int,
) -> list[tuple[Span, Evidence]]:
    """What a round looks at: the chains that have digests in the last hours, or should have.

    A chain that ended before them is left out, unless its trail logs with validation.
    So is a chain of a trail that is gone, or without validation now. The ledger's head is
    the evidence of how far a chain goes, or the anchor's, where the ledger knows less.

    Args:
        chains: of the ledger.
        trails: all of them.
        anchored: the newest head of each chain.
        now: UTC.
        hours: how far back a round looks.
    """
    by_arn = {trail.arn: trail for trail in trails if trail.log_file_validation}
    known = {chain.id: chain for chain in chains}
    for head in anchored:
        if not head.backfill and is_behind(known.get(head.chain_id), head):
            known[head.chain_id] = _chain_of(head)
    known = {name: chain for name, chain in known.items() if chain.trail_arn in by_arn}
    start = now - timedelta(hours=hours)
    for trail in by_arn.values():  # a chain at home begins with its trail
        if 0 < trail.digested_since < start.timestamp():
            home = _begin_chain(trail)
            known.setdefault(home.id, home)
    # A window closed early may end ahead of the clock.
    return [
        (_span(chain, start, now + KEY_MARGIN), _evidence(chain))
        for chain in known.values()
        if _should_have_digests(chain, by_arn[chain.trail_arn], start)
    ]


def is_behind(chain: Chain | None, head: Head) -> bool:
    """True when the ledger knows less of a chain than the anchor: it decides before anything is anchored."""
    if chain is None:
        return True
    return (chain.backfill_end if head.backfill else chain.end) < head.end


def behind_findings(chains: Iterable[Chain], anchored: Iterable[Head], chain_id: str) -> list[Finding]:
    """What says that the ledger was moved back, or lost a chain."""
    known = {chain.id: chain for chain in chains}
    return [
        Finding(Kind.DIGEST, head.bucket, head.key, Problem.LEDGER_BEHIND)
        for head in anchored
        if head.chain_id == chain_id and is_behind(known.get(chain_id), head)
    ]


def _chain_of(head: Head) -> Chain:
    """A chain as its anchored head knows it."""
    trail_arn, account, region = head.chain_id.split("#")
    parsed = keys.parse_digest_key(head.key)
    return Chain(
        trail_arn=trail_arn,
        place=Place(account, region),
        bucket=head.bucket,
        prefix=parsed.prefix,
        organization_id=parsed.organization,
        started_at=0.0,
        end=head.end,
        head=head,
    )


def _should_have_digests(chain: Chain, trail: Trail, start: datetime) -> bool:
    if chain.head is None:
        return chain.started_at < start.timestamp()  # else its first window may not be over
    return not chain.ended or times.from_iso(chain.end) >= start or trail.digested_since > 0


def _begin_chain(trail: Trail) -> Chain:
    """A chain at home that has no digest yet."""
    return Chain(
        trail_arn=trail.arn,
        place=Place(trail.account, trail.home_region),
        bucket=trail.bucket,
        prefix=trail.prefix,
        organization_id=trail.organization_id,
        started_at=trail.digested_since,
    )


def _span(chain: Chain, start: datetime, end: datetime) -> Span:
    return Span(
        trail_arn=chain.trail_arn,
        bucket=chain.bucket,
        prefix=chain.prefix,
        organization=chain.organization_id,
        place=chain.place,
        start=start,
        end=end,
    )


def _evidence(chain: Chain) -> Evidence:
    """A digest that is decided and not stored yet is no head: nothing is missing."""
    return Evidence(head=chain.head if chain.pending is None else None)


def judge(span: Span, report: Report, more: Sequence[Finding] = ()) -> Verdict:
    """The verdict on a chain that was read; ``more`` are findings of other checks."""
    findings = (*report.findings, *more)
    outcome = Outcome.FINDINGS if findings else Outcome.PROVEN if report.proven else Outcome.UNCHECKED
    return Verdict(
        trail_arn=span.trail_arn,
        account=span.place.account,
        region=span.place.region,
        start=report.start,
        end=report.end,
        outcome=outcome,
        digests=report.digests,
        digests_valid=report.digests_valid,
        backfill_digests=report.backfill_digests,
        backfill_digests_valid=report.backfill_digests_valid,
        log_files=report.logs,
        log_files_valid=report.logs_valid,
        finding_count=len(findings),
        findings=findings[:MAX_FINDINGS],
        reason="no digests in this time" if outcome is Outcome.UNCHECKED else "",
    )


def unchecked(span: Span, reason: str) -> Verdict:
    """The verdict on a chain that could not be read."""
    return Verdict(
        trail_arn=span.trail_arn,
        account=span.place.account,
        region=span.place.region,
        start=times.to_iso(span.start),
        end=times.to_iso(span.end),
        outcome=Outcome.UNCHECKED,
        reason=reason,
    )


def summarize(verdicts: Sequence[Verdict]) -> tuple[str, str]:
    """Subject and text of one message about a round: a line for each chain, its findings below it."""
    counts = {outcome: sum(v.outcome is outcome for v in verdicts) for outcome in Outcome}
    subject = f"OpenTrail: {counts[Outcome.PROVEN]} of {len(verdicts)} digest chains proven"
    if counts[Outcome.FINDINGS]:
        subject += f", findings in {counts[Outcome.FINDINGS]}"
    lines = []
    for verdict in sorted(verdicts, key=lambda v: list(Outcome).index(v.outcome), reverse=True):
        told = f" ({verdict.reason})" if verdict.reason else ""
        lines.append(
            f"{verdict.outcome}{told}\t{verdict.trail_arn}\t{verdict.account} {verdict.region}\t"
            f"{verdict.digests_valid}/{verdict.digests} digest files, "
            f"{verdict.log_files_valid}/{verdict.log_files} log files valid"
        )
        lines += [f"    {finding}" for finding in verdict.findings[:3]]
    return subject, "\n".join(lines)
