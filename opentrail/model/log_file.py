"""Chunks and log files. A chunk is made by select and taken by deliver; a log file goes on to digest."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from opentrail.model.event import Place
from opentrail.model.usage import Usage

HISTORY = "history"


class Destination(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where selected records go: a trail, or event history.

    A copy of what delivery needs to know of the trail, so that records selected
    before a trail was changed or deleted are still delivered as it was then.
    """

    name: str  # the trail's ARN, or HISTORY
    bucket: str
    prefix: str = ""
    organization_id: str = ""
    kms_key_arn: str = ""
    sns_topic_arn: str = ""  # hears of each delivery
    log_group_arn: str = ""  # gets each record, before delivery
    counted: bool = False  # its data events are counted for Insights
    insights: tuple[str, ...] = ()  # "Management:ApiCallRateInsight": what its Insights analyse
    digested_since: float = 0.0  # since when its files go into digests (epoch seconds); 0 = they do not

    @property
    def digested(self) -> bool:
        """True when its files go into digests."""
        return self.digested_since > 0

    @property
    def is_history(self) -> bool:
        """True for event history, which no trail can switch off."""
        return self.name == HISTORY


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """Records of one account, Region and category on their way to a file of each destination.

    The first destination has the first copy of them.
    """

    id: str  # a hash of place, folder and eventIDs: the same events selected again give the same id
    destinations: tuple[Destination, ...]
    place: Place
    folder: str  # "CloudTrail", "CloudTrail-Insight", "CloudTrail-NetworkActivity"
    category: str = "Management"
    count: int
    writes: int = 0  # how many of them are not read-only
    oldest: str  # eventTime
    newest: str
    lines: bytes  # NDJSON, no trailing newline


class LogFile(msgspec.Struct, frozen=True, kw_only=True):
    """One delivered log file, as the ledger knows it and a digest lists it."""

    bucket: str
    key: str
    sha256: str  # hex, of the uncompressed bytes
    count: int
    oldest: str
    newest: str
    created_at: float  # epoch seconds with milliseconds: when the ledger took the intent
    usage: Usage = Usage()


class FileState(StrEnum):
    """How far a file has come.

    ``PENDING``: decided, perhaps not stored. ``DELIVERED``: stored.
    ``DROPPED``: never stored, its chunks are free again.
    """

    PENDING = "pending"
    DELIVERED = "delivered"
    DROPPED = "dropped"


class FileRow(msgspec.Struct, frozen=True, kw_only=True):
    """A file's row in the ledger. A digested file has none: the digest speaks for it."""

    id: str
    state: FileState
    file: LogFile
