"""``opentrail validate``: prove a trail's log files from its digests, independently of aws-cli."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import msgspec

from opentrail.adapters.aws.audit_source import AuditSource
from opentrail.adapters.aws.clients import client
from opentrail.errors import FormatError, OpenTrailError, StorageError
from opentrail.format import keys, times
from opentrail.format.digest_file import Digest, ListedFile, parse_digest
from opentrail.format.log_file import decompress
from opentrail.model.event import Place
from opentrail.model.report import Finding, Kind, Report
from opentrail.pipeline.validate import (
    CheckedDigest,
    PublicKey,
    check_chain,
    check_digest,
    check_listing,
    check_log,
)

EXIT_PROVEN, EXIT_FINDINGS, EXIT_UNCHECKED = 0, 1, 2
CONNECTIONS = 8
KEY_MARGIN = timedelta(hours=2)  # a digest may be signed shortly after its window ended
HISTORY = timedelta(days=90)


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


class Moment(click.ParamType[datetime]):
    """A time on the command line; without a zone it is UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read ISO 8601 text."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-01-10T04:00:00Z", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command("validate")
@click.option("--trail-arn", required=True, help="The trail whose files to prove.")
@click.option(
    "--start-time", type=Moment(), help="Digests that end at or after this time (default: 90 days ago)."
)
@click.option("--end-time", type=Moment(), help="... and at or before this one (default: now).")
@click.option("--s3-bucket", help="Where the digests are now, if not where the trail says.")
@click.option("--s3-prefix", default="", help="With --s3-bucket: the prefix there.")
@click.option("--account-id", help="The account whose files to prove (default: the trail's).")
@click.option("--region", help="The Region whose files to prove (default: the trail's home).")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(
    trail_arn: str,
    start_time: datetime | None,
    end_time: datetime | None,
    s3_bucket: str | None,
    s3_prefix: str,
    account_id: str | None,
    region: str | None,
    as_json: bool,
) -> None:
    """Prove that a trail's log files are whole and unchanged.

    Exits with 0 when they are, with 1 when something is wrong, with 2 when it
    could not be found out.
    """
    now = datetime.now(UTC)
    # A window closed early may end a few seconds ahead of the clock.
    start, end = start_time or now - HISTORY, end_time or now + KEY_MARGIN
    try:
        source = AuditSource(client("s3"), client("cloudtrail"))
        bucket, prefix, organization = _location(source, trail_arn, s3_bucket, s3_prefix)
        home = trail_arn.split(":")
        span = Span(
            trail_arn=trail_arn,
            bucket=bucket,
            prefix=prefix,
            organization=organization,
            place=Place(account_id or home[4], region or home[3]),
            start=start,
            end=end,
        )
        report = prove(source, span)
    except OpenTrailError as error:
        click.echo(f"could not check: {error}", err=True)
        sys.exit(EXIT_UNCHECKED)
    click.echo(_as_json(report) if as_json else _as_text(report))
    sys.exit(exit_code(report))


def _location(source: AuditSource, trail_arn: str, bucket: str | None, prefix: str) -> tuple[str, str, str]:
    if trail_arn.count(":") != 5 or ":trail/" not in trail_arn:
        raise FormatError(f"not the ARN of a trail: {trail_arn}")
    if bucket is not None:
        return bucket, prefix, ""
    trail = source.find_trail(trail_arn)
    if trail is None:
        raise StorageError(f"no trail has the ARN {trail_arn}; with --s3-bucket none is needed")
    return trail["S3BucketName"], trail.get("S3KeyPrefix", ""), ""


def exit_code(report: Report) -> int:
    """0 proven, 1 findings, 2 nothing to judge by."""
    if report.findings:
        return EXIT_FINDINGS
    return EXIT_PROVEN if report.proven else EXIT_UNCHECKED


def prove(source: AuditSource, span: Span) -> Report:
    """Fetch the span's digests and everything they list, and judge all of it.

    Raises:
        StorageError: something could not be fetched, so nothing is proven.
    """
    public_keys = source.public_keys(span.start, span.end + KEY_MARGIN)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        stored = pool.map(lambda key: source.fetch(span.bucket, key), _digest_keys(source, span))
        checked = [check_digest(digest, public_keys) for digest in stored]
        checked = [*_before_listed(source, span, checked, public_keys), *checked]
        listed = [file for c in checked if c.digest for file in c.digest.files]
        verdicts = list(pool.map(lambda file: _judge(source, file), listed))
    log_findings = [finding for finding in verdicts if finding is not None]
    findings = [finding for c in checked for finding in c.findings] + check_chain(checked)
    findings += log_findings + _listing_findings(source, span, checked)
    bad_digests = {(f.bucket, f.key) for f in findings if f.kind is Kind.DIGEST}
    return Report(
        trail_arn=span.trail_arn,
        start=times.to_iso(span.start),
        end=times.to_iso(span.end),
        digests=len({(c.stored.bucket, c.stored.key) for c in checked} | bad_digests),
        digests_valid=sum((c.stored.bucket, c.stored.key) not in bad_digests for c in checked),
        logs=len(listed),
        logs_valid=len(listed) - len(log_findings),
        findings=tuple(findings),
    )


def _judge(source: AuditSource, file: ListedFile) -> Finding | None:
    return check_log(file, source.fetch(file.bucket, file.key).body)


def _before_listed(
    source: AuditSource, span: Span, checked: Sequence[CheckedDigest], public_keys: Mapping[str, PublicKey]
) -> list[CheckedDigest]:
    """The digests that the oldest listed one leads back to: they lie in another bucket, or are gone."""
    earlier: list[CheckedDigest] = []
    oldest = checked[0].digest if checked else None
    while oldest is not None and times.to_iso(span.start) <= oldest.start:
        if not oldest.previous_bucket or not oldest.previous_key:
            break
        stored = source.fetch(oldest.previous_bucket, oldest.previous_key)
        earlier.insert(0, check_digest(stored, public_keys))
        older = earlier[0].digest
        oldest = older if older is not None and older.start < oldest.start else None  # never in circles
    return earlier


def _digest_keys(source: AuditSource, span: Span, *, of_others: bool = False) -> list[str]:
    """The span's digests, oldest first: this trail's, or those of others that deliver to the same place."""
    folder = keys.digest_folder(prefix=span.prefix, organization=span.organization, place=span.place)
    found: dict[str, datetime] = {}
    for key in source.keys_under(span.bucket, folder):
        try:
            parsed = keys.parse_digest_key(key)
        except FormatError:
            continue  # not named like a digest, so no digest of any trail
        ours = (parsed.trail, parsed.home_region) == (span.trail, span.home_region)
        if ours is not of_others and not parsed.backfill and span.start <= parsed.end <= span.end:
            found[key] = parsed.end
    return sorted(found, key=lambda key: found[key])


def _other_digests(source: AuditSource, span: Span) -> Iterator[Digest]:
    for key in _digest_keys(source, span, of_others=True):
        body = source.fetch(span.bucket, key).body
        try:
            yield parse_digest(decompress(body or b""))
        except FormatError:
            continue  # that trail's own validation reports it


def _listing_findings(source: AuditSource, span: Span, checked: Sequence[CheckedDigest]) -> list[Finding]:
    """Log files between the first and the last window that no digest names."""
    digests = [c.digest for c in checked if c.digest is not None]
    if not digests:
        return []
    slot = timedelta(minutes=keys.SLOT_MINUTES)
    begin = times.from_iso(digests[0].start)
    finish = times.from_iso(digests[-1].end) - slot
    found = []
    for folder in (keys.LOGS, keys.INSIGHTS, keys.NETWORK):
        root = keys.root(span.prefix, span.organization, span.place.account)
        for key in source.keys_under(span.bucket, f"{root}{folder}/{span.place.region}/"):
            if begin <= _delivered(key, begin) < finish:
                found.append((span.bucket, key))
    return check_listing(digests, _other_digests(source, span), found)


def _delivered(key: str, begin: datetime) -> datetime:
    """When a file came, by its name. One named otherwise is not CloudTrail's work: always judged."""
    try:
        return keys.parse_log_key(key).delivered
    except FormatError:
        return begin


def _as_json(report: Report) -> str:
    document = {**msgspec.to_builtins(report), "proven": report.proven}
    return json.dumps(document, indent=2)


def _as_text(report: Report) -> str:
    lines = [str(finding) for finding in report.findings]
    if not report.digests:
        lines.append("No digests found")
    else:
        lines.append(f"{report.digests_valid}/{report.digests} digest files valid")
        lines.append(f"{report.logs_valid}/{report.logs} log files valid")
        lines.append("Proven." if report.proven else f"{len(report.findings)} findings.")
    return "\n".join(lines)
