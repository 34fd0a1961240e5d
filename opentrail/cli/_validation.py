"""``opentrail validate``: from its options to a report on every account and Region."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from opentrail.adapters.aws.anchor import DynamoAnchor
from opentrail.adapters.aws.audit_keys import KeyFile
from opentrail.adapters.aws.audit_ledger import S3Retention
from opentrail.adapters.aws.audit_source import AuditSource
from opentrail.adapters.aws.clients import client
from opentrail.cli._anchor import anchored_places, try_anchor
from opentrail.cli._audit import (
    Location,
    digest_regions,
    find_accounts,
    find_place,
    ledger_heads,
    locate,
    log_regions,
    read_head,
    read_known,
    span_of,
)
from opentrail.errors import StorageError
from opentrail.format import keys
from opentrail.format.digest_file import ListedFile
from opentrail.model.digest import Head, Link
from opentrail.model.event import Place
from opentrail.model.report import Report
from opentrail.pipeline.validate import KEY_MARGIN, Evidence, Span, merge, prove
from opentrail.pipeline.validate.retention import check_retention

HISTORY = timedelta(days=90)
# Where a Region has log files and no digests at all, younger files may be about to get their first one.
UNDIGESTED = timedelta(hours=2)
ANY_RETENTION = ("GOVERNANCE", 0)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run: a report on each chain, notes about all of them, and a hint where there is none."""

    reports: tuple[Report, ...]
    notes: tuple[str, ...]
    hint: str = ""

    @property
    def whole(self) -> Report:
        """One report on the trail."""
        merged = merge(self.reports)
        return msgspec.structs.replace(merged, notes=(*merged.notes, *self.notes))

    @property
    def proven(self) -> bool:
        """True when every chain is."""
        return bool(self.reports) and all(report.proven for report in self.reports)


def prove_trail(options: dict[str, Any]) -> Result:
    """Prove what the options say.

    Raises:
        OpenTrailError: something could not be read, so nothing is proven.
    """
    with ExitStack() as open_files:
        return _Run.begin(options, open_files).prove()


@dataclass(frozen=True, slots=True)
class _Run:
    options: dict[str, Any]
    home: Place
    location: Location
    at_home: AuditSource
    source_in: Callable[[str], AuditSource]
    anchor: DynamoAnchor | None
    heads: dict[Place, Link]  # what is known of chains from outside, but for the anchor
    known: frozenset[Place]  # all chains that are known of from outside
    lock: tuple[str, int] | None
    notes: tuple[str, ...]
    now: datetime

    @classmethod
    def begin(cls, options: dict[str, Any], open_files: ExitStack) -> _Run:
        """Find the trail, its bucket and its anchor."""
        trail_arn = options["trail_arn"]
        home = find_place(trail_arn, None, None)
        good, note = _resume(options["resume"], open_files)

        def source_in(region: str) -> AuditSource:
            return AuditSource(
                client("s3"),
                client("cloudtrail", region),
                processes=options["processes"],
                known=good,
                on_good=note,
            )

        at_home = source_in(home.region)
        account = options["account_id"] or home.account
        location = locate(at_home, trail_arn, account, options["s3_bucket"], options["s3_prefix"])
        anchor, missing = try_anchor(options, trail_arn)
        lock, unlooked = _lock(options["object_lock"], location.bucket)
        heads = _heads(options)
        return cls(
            options=options,
            home=home,
            location=location,
            at_home=at_home,
            source_in=source_in,
            anchor=anchor,
            heads=heads,
            known=anchored_places(anchor, trail_arn) | heads.keys(),
            lock=lock,
            notes=tuple(filter(None, (missing, unlooked))),
            now=datetime.now(UTC),
        )

    def prove(self) -> Result:
        """A report on every account and Region that has something to prove."""
        held = 0
        reports = []
        for place, has_digests in self._places():
            span = self._span(place, young=not has_digests and place not in {self.home, *self.known})
            heads = tuple(self.anchor.heads(span.chain_id, span.start, span.end)) if self.anchor else ()
            held += len(heads)
            report = self._prove(span, heads)
            if self._matters(report, place, has_digests):
                reports.append(report)
        notes = [*self.notes, *([f"held to {held} anchored heads"] if self.anchor else [])]
        if any(report.digests for report in reports):
            return Result(tuple(reports), tuple(notes))
        account = self.options["account_id"] or self.home.account
        regions = digest_regions(self.at_home, self.location, account)
        return Result(
            tuple(reports), tuple(notes), f"{account} has digests in: {', '.join(regions) or 'no Region'}"
        )

    def _places(self) -> Iterator[tuple[Place, bool]]:
        """Where the trail may have delivered to, home first, and whether any trail's digests are there."""
        account, region = self.options["account_id"], self.options["region"]
        accounts = [account] if account else find_accounts(self.at_home, self.location, self.home.account)
        for one in accounts:
            digested = digest_regions(self.at_home, self.location, one)
            regions = {
                *digested,
                *(log_regions(self.at_home, self.location, one) if self.location.every_region else ()),
                *(place.region for place in self.known if place.account == one),
                *([self.home.region] if one == (account or self.home.account) else []),
            }
            for name in sorted(regions if region is None else [region], key=self._home_first):
                yield Place(one, name), name in digested

    def _home_first(self, region: str) -> tuple[bool, str]:
        return region != self.home.region, region

    def _matters(self, report: Report, place: Place, has_digests: bool) -> bool:
        """False for a Region that is other trails' alone, or has no files of this time."""
        asked = self.options["region"] is not None or place == self.home
        untold = bool(report.notes) and not has_digests  # log files, and no digest of any trail
        return asked or report.digests > 0 or bool(report.findings) or untold

    def _span(self, place: Place, *, young: bool) -> Span:
        """The span of time; where there are no digests, ``young`` files are left out."""
        # A window closed early may end a few seconds ahead of the clock.
        end = self.options["end_time"] or self.now + KEY_MARGIN
        return span_of(
            self.options["trail_arn"],
            self.location,
            place,
            start=self.options["start_time"] or self.now - HISTORY,
            end=min(end, self.now - UNDIGESTED) if young else end,
            open_end=self.options["end_time"] is None,
        )

    def _prove(self, span: Span, heads: tuple[Head, ...]) -> Report:
        source = self.source_in(span.place.region)
        public = self.options["public_keys"]
        evidence = Evidence(
            head=self.heads.get(span.place), anchored=heads, delivered_at=self._delivered(source, span)
        )
        with ExitStack() as bars:
            report = prove(
                source,
                KeyFile(public) if public else source,
                span,
                evidence=evidence,
                on_logs=_progress(bars, span.place.region),
            )
        if self.lock is None:
            return report
        mode, days = self.lock
        unlocked = tuple(check_retention(S3Retention(client("s3")), span, mode=mode, days=days))
        return msgspec.structs.replace(report, findings=(*report.findings, *unlocked))

    def _delivered(self, source: AuditSource, span: Span) -> datetime | None:
        """What CloudTrail says of the newest digest. Of a copy, or another account, it says nothing."""
        if self.options["s3_bucket"] is not None or span.place.account != self.home.account:
            return None
        return source.digest_delivered(span.trail_arn)


def _heads(options: dict[str, Any]) -> dict[Place, Link]:
    """The newest digest of each chain that somebody wrote down."""
    if options["head"] is not None:
        head = read_head(options["head"])
        return {keys.parse_digest_key(head.key).place: head}
    if options["ledger_table"] is not None:
        return ledger_heads(client("dynamodb"), options["ledger_table"], options["trail_arn"])
    return {}


def _lock(wanted: bool | None, bucket: str) -> tuple[tuple[str, int] | None, str]:
    """How objects must be retained, None where that is not looked at; and why it could not be."""
    if wanted is False:
        return None, ""
    try:
        default = S3Retention(client("s3")).default_of(bucket)
    except StorageError as error:
        if wanted:
            raise
        return None, f"retention was not looked at: {error}"
    if wanted and default is None:
        return ANY_RETENTION, ""
    return default, ""


def _resume(
    path: Path | None, open_files: ExitStack
) -> tuple[frozenset[tuple[str, str, str]], Callable[[ListedFile], None]]:
    if path is None:
        return frozenset(), lambda file: None
    return read_known(path), open_files.enter_context(_notes(path))


@contextmanager
def _notes(path: Path) -> Iterator[Callable[[ListedFile], None]]:
    with path.open("a", buffering=1) as lines:
        yield lambda file: print(json.dumps([file.bucket, file.key, file.sha256]), file=lines)


def _progress(bars: ExitStack, region: str) -> Callable[[int], Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere."""

    def begin(count: int) -> Callable[[int], None]:
        if not sys.stderr.isatty():
            return lambda done: None
        bar = click.progressbar(length=count, label=f"log files of {region}", file=sys.stderr)
        return bars.enter_context(bar).update

    return begin
