"""``opentrail evidence``: an auditor's pack of one trail and period, as JSON and as a page."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from opentrail.adapters.aws.anchor import DynamoAnchor
from opentrail.adapters.aws.audit_source import AuditSource
from opentrail.adapters.aws.clients import client
from opentrail.branches.evidence import Day, cover, render
from opentrail.cli._anchor import anchor_options, anchored_places, try_anchor
from opentrail.cli._audit import Location, Moment, digest_regions, find_place, locate, span_of
from opentrail.cli.doctor import as_objects, examine
from opentrail.errors import FormatError, OpenTrailError
from opentrail.format import keys
from opentrail.format.times import to_iso
from opentrail.model.event import Place
from opentrail.model.report import Report
from opentrail.pipeline.validate import KEY_MARGIN, Evidence, prove

EXIT_SOUND, EXIT_UNSOUND, EXIT_UNCHECKED = 0, 1, 2
HOUR = timedelta(hours=1)


@click.command("evidence")
@click.option("--trail-arn", required=True, help="The trail.")
@click.option("--from", "start", type=Moment(), required=True, help="The first moment, UTC: 2026-01-01.")
@click.option("--to", "end", type=Moment(), help="The last moment.  [default: now]")
@click.option("--account-id", help="Of an organization's trail: the account (default: the trail's).")
@anchor_options
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("evidence"),
    show_default=True,
    help="A directory for evidence.json and evidence.html.",
)
def command(
    trail_arn: str,
    start: datetime,
    end: datetime | None,
    account_id: str | None,
    output: Path,
    **anchor: Any,
) -> None:
    """Write down how a trail was set up, whether its files are proven, and which hours have no proof.

    Covers every Region that has digests, or anchored ones. Configuration is as it is now; what
    it was before is in the trail's own events.

    Exit code 0: proven without gaps. 1: there are findings or gaps, and they are in the pack. 2: no pack.
    """
    now = datetime.now(UTC)
    try:
        document = gather(trail_arn, account_id, start, end, now, anchor)
    except (OpenTrailError, BotoCoreError, ClientError) as error:
        click.echo(f"could not gather: {error}", err=True)
        sys.exit(EXIT_UNCHECKED)
    output.mkdir(parents=True, exist_ok=True)
    (output / "evidence.json").write_text(json.dumps(document, indent=2) + "\n")
    (output / "evidence.html").write_text(render(document))
    click.echo(document["summary"]["text"])
    click.echo(f"{output / 'evidence.html'}\n{output / 'evidence.json'}")
    sys.exit(EXIT_SOUND if document["summary"]["sound"] else EXIT_UNSOUND)


def gather(
    trail_arn: str,
    account_id: str | None,
    start: datetime,
    end: datetime | None,
    now: datetime,
    options: dict[str, Any],
) -> dict[str, Any]:
    """Everything of the pack, as JSON has it; ``options`` say which anchor.

    Raises:
        FormatError: not the ARN of a trail, or a period that ends before it begins.
        StorageError: trail, keys or bucket could not be read.
    """
    until = min(end or now, now)
    if start >= until:
        raise FormatError(f"the period ends at {to_iso(until)}, before it begins at {to_iso(start)}")
    home = find_place(trail_arn, None, None)
    account = account_id or home.account
    source = AuditSource(client("s3"), client("cloudtrail", home.region), processes=os.cpu_count() or 1)
    location = locate(source, trail_arn, account, None, "")
    anchor, _ = try_anchor(options, trail_arn)
    anchored = {place.region for place in anchored_places(anchor, trail_arn) if place.account == account}
    found = sorted({*digest_regions(source, location, account), *anchored})
    regions = [
        _region(trail_arn, Place(account, region), location, start, until, anchor, open_end=end is None)
        for region in found or [home.region]
    ]
    return {
        "version": version("opentrail"),
        "generated": to_iso(now),
        "trail_arn": trail_arn,
        "account": account,
        "period": {"start": to_iso(start), "end": to_iso(until)},
        "summary": _summarise(regions),
        "regions": regions,
        "doctor": as_objects(examine(home.region)),
        "configuration": _configuration(trail_arn, home.region),
    }


def _region(
    trail_arn: str,
    place: Place,
    location: Location,
    start: datetime,
    end: datetime,
    anchor: DynamoAnchor | None,
    *,
    open_end: bool,
) -> dict[str, Any]:
    source = AuditSource(client("s3"), client("cloudtrail", place.region), processes=os.cpu_count() or 1)
    # Up to now: a window closed early may end a few seconds ahead of the clock.
    proven_to = end + KEY_MARGIN if open_end else end
    span = span_of(trail_arn, location, place, start=start, end=proven_to, open_end=open_end)
    heads = tuple(anchor.heads(span.chain_id, span.start, span.end)) if anchor else ()
    report = prove(source, source, span, evidence=Evidence(anchored=heads))
    days = _coverage(source, location, place, trail_arn, start, end)
    return {
        "region": place.region,
        "validation": _plain(report),
        "anchored_heads": len(heads) if anchor else None,  # that it was held to; null: there is no anchor
        "coverage": [_plain_day(day) for day in days],
    }


def _coverage(
    source: AuditSource, location: Location, place: Place, trail_arn: str, start: datetime, end: datetime
) -> tuple[Day, ...]:
    trail = trail_arn.rpartition("/")[2]
    root = keys.root(location.prefix, location.organization, place.account)
    digests = list(source.keys_under(location.bucket, f"{root}{keys.DIGESTS}/{place.region}/"))
    logs = (
        key
        for folder in (keys.LOGS, keys.INSIGHTS, keys.NETWORK)
        for day in _days(start, end)
        for key in source.keys_under(location.bucket, f"{root}{folder}/{place.region}/{day:%Y/%m/%d}/")
    )
    return cover(logs, digests, trail=trail, start=max(start, _first_hour(digests, trail, start)), end=end)


def _first_hour(digests: Iterable[str], trail: str, start: datetime) -> datetime:
    """Where the chain begins in the bucket: before that, no hour can be sealed."""
    ends = []
    for key in digests:
        try:
            parsed = keys.parse_digest_key(key)
        except FormatError:
            continue
        if parsed.trail == trail and not parsed.backfill:
            ends.append(parsed.end)
    if not ends:
        return start
    return (min(ends) - HOUR / 2).replace(minute=0, second=0, microsecond=0)


def _days(start: datetime, end: datetime) -> Iterable[date]:
    return (start.date() + timedelta(days=number) for number in range((end.date() - start.date()).days + 1))


def _plain(report: Report) -> dict[str, Any]:
    return {**msgspec.to_builtins(report), "proven": report.proven}


def _plain_day(day: Day) -> dict[str, Any]:
    hours = [{"start": to_iso(h.start), "end": to_iso(h.end), "hours": h.count} for h in day.unsealed]
    return {**asdict(day), "date": day.date.isoformat(), "unsealed": hours}


def _summarise(regions: list[dict[str, Any]]) -> dict[str, Any]:
    findings = sum(len(r["validation"]["findings"]) for r in regions)
    proven = all(r["validation"]["proven"] for r in regions)
    gaps = sum(h["hours"] for r in regions for d in r["coverage"] for h in d["unsealed"])
    digests = sum(r["validation"]["digests"] for r in regions)
    logs = sum(r["validation"]["logs"] for r in regions)
    if proven and not gaps:
        text = f"Proven: {logs} log files by {digests} digests in {len(regions)} Regions, without a gap."
    elif proven:
        text = f"Proven: {logs} log files by {digests} digests, but {gaps} hours have no digest."
    elif findings:
        text = f"Not proven: {findings} findings, {gaps} hours without a digest."
    else:
        text = f"Not proven: there is a Region without digests; {gaps} hours have none."
    return {"sound": proven and not gaps, "text": text, "findings": findings, "unsealed_hours": gaps}


def _configuration(trail_arn: str, region: str) -> dict[str, Any]:
    cloudtrail = client("cloudtrail", region)
    parts: dict[str, Mapping[str, Any]] = {
        "trail": cloudtrail.get_trail(Name=trail_arn)["Trail"],
        "status": cloudtrail.get_trail_status(Name=trail_arn),
        "selectors": cloudtrail.get_event_selectors(TrailName=trail_arn),
    }
    return {name: _jsonable(part) for name, part in parts.items()}


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _jsonable(part) for name, part in value.items() if name != "ResponseMetadata"}
    if isinstance(value, list):
        return [_jsonable(part) for part in value]
    return to_iso(value.astimezone(UTC)) if isinstance(value, datetime) else value
