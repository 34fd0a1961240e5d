"""A span of a trail's time -> its digests, from every bucket they lead to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from opentrail.errors import FormatError
from opentrail.format import keys, times
from opentrail.format.digest_file import Digest
from opentrail.format.keys import DigestKey
from opentrail.model.event import Place
from opentrail.model.report import Finding, Kind, Problem
from opentrail.pipeline.validate.chain import CheckedDigest, check_digest
from opentrail.pipeline.validate.ports import Archive, KeySource
from opentrail.pipeline.validate.signature import generated_at
from opentrail.pipeline.validate.stored import PublicKey, StoredObject

KEY_MARGIN = timedelta(hours=2)  # a digest may be signed shortly after its window ended
BACKFILL_MARGIN = timedelta(hours=1)  # around a backfill digest's generation, as validate-logs has it


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
    open_end: bool = False  # up to now: a digest that ends later than ``end`` is from the future

    @property
    def trail(self) -> str:
        """The trail's name."""
        return self.trail_arn.rpartition("/")[2]

    @property
    def chain_id(self) -> str:
        """As the ledger, the anchor and tree heads name the chain."""
        return f"{self.trail_arn}#{self.place.account}#{self.place.region}"

    @property
    def home_region(self) -> str:
        """The trail's home Region."""
        return self.trail_arn.split(":")[3]


@dataclass(frozen=True, slots=True)
class Reading:
    """One run of the verifier: what it reads from, and what it has read so far."""

    archive: Archive
    key_source: KeySource
    span: Span
    public_keys: dict[str, PublicKey]
    names: dict[tuple[str, str], list[tuple[str, DigestKey]]] = field(default_factory=dict)

    @classmethod
    def begin(cls, archive: Archive, key_source: KeySource, span: Span) -> Reading:
        """Ask for the public keys of the span.

        Raises:
            StorageError: there was no answer.
        """
        public_keys = key_source.public_keys(span.start, span.end + KEY_MARGIN)
        return cls(archive, key_source, span, dict(public_keys))

    def digests_in(self, bucket: str, prefix: str) -> list[tuple[str, DigestKey]]:
        """Every digest of any trail in the place's folder there; it is listed once."""
        if (bucket, prefix) not in self.names:
            folder = keys.digest_folder(
                prefix=prefix, organization=self.span.organization, place=self.span.place
            )
            self.names[bucket, prefix] = list(_digest_names(self.archive.keys_under(bucket, folder)))
        return self.names[bucket, prefix]

    def keys_for(self, stored: StoredObject) -> Mapping[str, PublicKey]:
        """The keys that may have signed it. A backfill digest's is one of the time it was generated at."""
        try:
            moment = generated_at(stored)
        except FormatError:
            return self.public_keys  # check_digest says so
        if moment is not None and not self.span.start.timestamp() <= moment <= self.span.end.timestamp():
            around = times.from_epoch(moment)
            more = self.key_source.public_keys(around - BACKFILL_MARGIN, around + BACKFILL_MARGIN)
            new = {name: key for name, key in more.items() if name not in self.public_keys}
            self.public_keys.update(new)
        return self.public_keys


def _digest_names(found: Iterator[str]) -> Iterator[tuple[str, DigestKey]]:
    for key in found:
        try:
            yield key, keys.parse_digest_key(key)
        except FormatError:
            continue  # not named like a digest, so no digest of any trail


def collect(reading: Reading, *, backfill: bool) -> list[CheckedDigest]:
    """The chain's digests, oldest first; those that are named but missing too.

    Raises:
        StorageError: something could not be fetched.
    """
    span = reading.span
    found: dict[tuple[str, str], CheckedDigest] = {}
    places = _places(reading, span.bucket, span.prefix, backfill=backfill)
    while True:
        for stored in reading.archive.fetch_all([place for place in places if place not in found]):
            found[stored.bucket, stored.key] = check_digest(stored, reading.keys_for(stored))
        ordered = sorted(found.values(), key=lambda c: keys.parse_digest_key(c.stored.key).end)
        named = _named_before(span, ordered)
        if named is None or named in found:
            return ordered
        try:
            prefix = keys.parse_digest_key(named[1]).prefix
        except FormatError:
            return ordered  # what it names is no digest of any trail; check_digest says so
        places = [*_places(reading, named[0], prefix, backfill=backfill), named]


def _named_before(span: Span, ordered: Sequence[CheckedDigest]) -> tuple[str, str] | None:
    """What the oldest digest says lies before it, where that is still within the span."""
    oldest = next((c.digest for c in ordered if c.digest is not None), None)
    if oldest is None or oldest.start < times.to_iso(span.start):
        return None
    if not oldest.previous_bucket or not oldest.previous_key:
        return None
    return oldest.previous_bucket, oldest.previous_key


def _places(reading: Reading, bucket: str, prefix: str, *, backfill: bool) -> list[tuple[str, str]]:
    span = reading.span
    return [
        (bucket, key)
        for key, name in reading.digests_in(bucket, prefix)
        if _is_ours(span, name) and name.backfill is backfill and span.start <= name.end <= span.end
    ]


def _is_ours(span: Span, name: DigestKey) -> bool:
    return (name.trail, name.home_region) == (span.trail, span.home_region)


def other_digests(reading: Reading) -> Iterator[Digest]:
    """The genuine digests of other trails that deliver to the same place: what they list is theirs."""
    span = reading.span
    places = [
        (span.bucket, key)
        for key, name in reading.digests_in(span.bucket, span.prefix)
        if not _is_ours(span, name) and span.start <= name.end <= span.end
    ]
    for stored in reading.archive.fetch_all(places):
        checked = check_digest(stored, reading.keys_for(stored))
        if checked.digest is not None and not checked.findings:
            yield checked.digest


def future_findings(reading: Reading) -> list[Finding]:
    """Digests of hours that have not been yet."""
    span = reading.span
    if not span.open_end:
        return []
    return [
        Finding(Kind.DIGEST, span.bucket, key, Problem.WRONG_WINDOW, "it ends in the future")
        for key, name in reading.digests_in(span.bucket, span.prefix)
        if _is_ours(span, name) and name.end > span.end
    ]
