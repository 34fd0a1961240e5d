"""What the verifying verbs share: where a trail's files lie, and what is known of them from outside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from opentrail.adapters.aws.audit_source import AuditSource
from opentrail.adapters.aws.ledger import DynamoLedger
from opentrail.errors import FormatError, StorageError
from opentrail.format import keys
from opentrail.model.digest import Link
from opentrail.model.event import Place
from opentrail.pipeline.validate import Span


@dataclass(frozen=True, slots=True)
class Location:
    """Where the files of one account lie."""

    bucket: str
    prefix: str
    organization: str
    every_region: bool = True  # the trail may deliver files of every Region


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


def find_place(trail_arn: str, account: str | None, region: str | None) -> Place:
    """The account and Region to prove; those of the trail where they are not given.

    Raises:
        FormatError: not the ARN of a trail.
    """
    if trail_arn.count(":") != 5 or ":trail/" not in trail_arn:
        raise FormatError(f"not the ARN of a trail: {trail_arn}")
    home = trail_arn.split(":")
    return Place(account or home[4], region or home[3])


def locate(source: AuditSource, trail_arn: str, account: str, bucket: str | None, prefix: str) -> Location:
    """Where the trail delivers; with ``bucket``, where a copy of its files lies.

    An organization's folder is found by looking, so that no permission to ask
    Organizations is needed.

    Raises:
        StorageError: no such trail, or no answer.
    """
    if bucket is None:
        trail = source.find_trail(trail_arn)
        if trail is None:
            raise StorageError(f"no trail has the ARN {trail_arn}; with --s3-bucket none is needed")
        bucket, prefix = trail["S3BucketName"], trail.get("S3KeyPrefix", "")
        every_region = bool(trail.get("IsMultiRegionTrail"))
        if not trail.get("IsOrganizationTrail"):
            return Location(bucket, prefix, "", every_region)
    else:
        every_region = True
        if _has_digests(source, bucket, prefix, "", account):
            return Location(bucket, prefix, "")
    names = [name for name in source.folders_under(bucket, _parent(prefix)) if name.startswith("o-")]
    for name in names:
        if _has_digests(source, bucket, prefix, name, account):
            return Location(bucket, prefix, name, every_region)
    return Location(bucket, prefix, names[0] if len(names) == 1 else "", every_region)


def _parent(prefix: str) -> str:
    return f"{prefix}/AWSLogs/" if prefix else "AWSLogs/"


def find_accounts(source: AuditSource, location: Location, own: str) -> list[str]:
    """The accounts whose files lie there, the trail's ``own`` first; of an organization's trail several."""
    if not location.organization:
        return [own]
    parent = f"{_parent(location.prefix)}{location.organization}/"
    found = {name for name in source.folders_under(location.bucket, parent) if name.isdecimal()}
    return sorted(found | {own}, key=lambda account: (account != own, account))


def span_of(
    trail_arn: str,
    location: Location,
    place: Place,
    *,
    start: datetime,
    end: datetime,
    open_end: bool = False,
) -> Span:
    """The part of a chain that lies at ``location``; ``open_end`` as in ``Span``."""
    return Span(
        trail_arn=trail_arn,
        bucket=location.bucket,
        prefix=location.prefix,
        organization=location.organization,
        place=place,
        start=start,
        end=end,
        open_end=open_end,
    )


def _has_digests(source: AuditSource, bucket: str, prefix: str, organization: str, account: str) -> bool:
    return bool(digest_regions(source, Location(bucket, prefix, organization), account))


def digest_regions(source: AuditSource, location: Location, account: str) -> list[str]:
    """The Regions that have digests of ``account``."""
    return _regions(source, location, account, keys.DIGESTS)


def log_regions(source: AuditSource, location: Location, account: str) -> list[str]:
    """The Regions that have log files of ``account``."""
    return _regions(source, location, account, keys.LOGS)


def _regions(source: AuditSource, location: Location, account: str, folder: str) -> list[str]:
    root = keys.root(location.prefix, location.organization, account)
    return source.folders_under(location.bucket, f"{root}{folder}/")


def read_head(path: Path) -> Link:
    """A head as ``opentrail anchor show`` printed it.

    Raises:
        FormatError: the file is something else, or is not there.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Link)
    except (OSError, msgspec.DecodeError) as error:
        raise FormatError(f"{path} is not a head as `opentrail anchor show` prints it: {error}") from error


def ledger_heads(dynamodb: Any, table: str, trail_arn: str) -> dict[Place, Link]:
    """The newest digest of each of a trail's chains by OpenTrail's ledger, where one is stored.

    Raises:
        StorageError: the table did not answer, or knows no chain of the trail.
    """
    chains = [chain for chain in DynamoLedger(dynamodb, table).chains() if chain.trail_arn == trail_arn]
    if not chains:
        raise StorageError(f"table {table} knows no digests of {trail_arn}")
    return {chain.place: chain.head for chain in chains if chain.head is not None and chain.pending is None}


def read_known(path: Path) -> frozenset[tuple[str, str, str]]:
    """The log files (bucket, key, hash) that a broken off run noted as good. A torn last line is skipped."""
    if not path.exists():
        return frozenset()
    found = set()
    for line in path.read_text().splitlines():
        try:
            bucket, key, sha256 = json.loads(line)
        except ValueError:
            continue
        found.add((bucket, key, sha256))
    return frozenset(found)
