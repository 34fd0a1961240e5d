"""Event history in DynamoDB and S3: the index of segments, their files, and the rate of lookups.

In the history table, ``pk = <account>#<region>`` holds every segment that is in no block
(``history_blocks.py``) by its time of creation; ``pk = <account>#<region>#apart`` once more
those with an event that came very late or is dated ahead. So a lookup in a range of time
reads the part of the first that can matter, and all of the second, which is small.
``pk = rate#<account>#<region>`` counts a second's lookups.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Protocol

from opentrail.adapters.aws import items
from opentrail.adapters.aws.failure import storage_errors
from opentrail.adapters.aws.history_blocks import DynamoBlocks
from opentrail.adapters.aws.history_table import HistoryTable
from opentrail.adapters.aws.items import Item
from opentrail.adapters.aws.s3 import S3Objects
from opentrail.branches.history.ports import IndexEntry
from opentrail.branches.history.rollup import Shelved
from opentrail.errors import ConflictError
from opentrail.format.keys import LOGS
from opentrail.format.times import from_epoch, from_iso, to_iso
from opentrail.model.event import Place
from opentrail.model.history import Segment

HISTORY_ROOT = "history/AWSLogs"  # below it: <account>/CloudTrail/<region>/
CONNECTIONS = 8
FIRST_PAGE = 32  # items; the newest few answer most lookups, and further pages grow
ANY_TIME = "~"  # later than every time
RATE_LIFE_SECONDS = 300

_SHELVED = ("bucket", "key", "count", "oldest", "newest", "expires", "apart")
_ENTRY = ("bucket", "key", "count", "oldest", "newest", "apart", "hashes")


class DynamoSegments:
    """The index of segments."""

    def __init__(self, client: Any, table: str) -> None:
        self._table = HistoryTable(client, table)
        self._blocks = DynamoBlocks(client, table)

    def entries(
        self, place: Place, *, start: str, end: str, holding: int | None = None
    ) -> Iterator[IndexEntry]:
        """Segments that may hold an event from ``start`` to ``end``; those apart first, then newest first.

        Of those in blocks only the ones that may hold ``holding``, if that is a value's hash.

        Raises:
            StorageError: the table refused or did not answer.
        """
        for item in self._table.query(items.segment_pk(place, apart=True), _ENTRY, page=FIRST_PAGE):
            yield _to_entry(item, ANY_TIME)
        first = from_iso(start).timestamp() - items.AHEAD_SECONDS
        last = from_iso(end).timestamp() + items.LATE_SECONDS
        loose = self._loose(place, first, last)
        in_blocks = self._blocks.entries(place, first=first, last=last, holding=holding)
        yield from heapq.merge(loose, in_blocks, key=lambda entry: entry.horizon, reverse=True)

    def shelved(self, place: Place, *, start: float, end: float) -> Iterator[Shelved]:
        """See ``opentrail.branches.history.rollup.Shelf``."""
        pk = items.segment_pk(place)
        for item in self._table.query(pk, _SHELVED, first=start, last=end, newest_first=False):
            if "apart" not in item and items.segment_created(item) < end:
                yield Shelved(**items.shelved_fields(item))

    def swap(
        self, place: Place, old: Sequence[Shelved], new: Segment | None, *, created_at: float, expires: int
    ) -> None:
        """See ``opentrail.branches.history.rollup.Shelf``."""
        self._table.exchange(
            f"put {len(old)} segments of {place} together",
            old=[items.key(items.segment_pk(place), segment.id) for segment in old],
            new=items.segment_items(new, created_at=created_at, expires=expires) if new else [],
        )

    def _loose(self, place: Place, first: float, last: float) -> Iterator[IndexEntry]:
        pk = items.segment_pk(place)
        for item in self._table.query(pk, _ENTRY, first=first, last=last, page=FIRST_PAGE):
            if "apart" not in item:  # it was in the other partition
                yield _to_entry(item, to_iso(from_epoch(items.segment_created(item) + items.AHEAD_SECONDS)))


def _to_entry(item: Item, horizon: str) -> IndexEntry:
    return IndexEntry(
        bucket=item["bucket"]["S"],
        key=item["key"]["S"],
        count=int(item["count"]["N"]),
        oldest=item["oldest"]["S"],
        newest=item["newest"]["S"],
        hashes=bytes(item["hashes"]["B"]),
        horizon=horizon,
    )


class Stored(Protocol):
    """Whatever says where a file is."""

    @property
    def bucket(self) -> str: ...
    @property
    def key(self) -> str: ...


class S3SegmentFiles:
    """The files of segments, a few at a time."""

    def __init__(self, client: Any) -> None:
        self._objects = S3Objects(client)

    def read_all(self, entries: Sequence[Stored]) -> list[bytes | None]:
        """Each file's bytes, ``None`` for one that is not there.

        Raises:
            StorageError: S3 refused or did not answer.
        """
        if len(entries) == 1:
            return [self._read(entries[0])]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            return list(pool.map(self._read, entries))

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Store a file; raise ``StorageError`` when S3 refused or did not answer."""
        self._objects.put(bucket, key, body, kms_key_arn="", trail_arn="", metadata={})

    def _read(self, entry: Stored) -> bytes | None:
        return self._objects.read(entry.bucket, entry.key)


class S3Places:
    """The accounts and Regions that have event history, by the folders of its bucket."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def places(self) -> Iterator[Place]:
        """Every account and Region of which there ever was an event.

        Raises:
            StorageError: S3 refused or did not answer.
        """
        for account in self._folders(f"{HISTORY_ROOT}/"):
            for region in self._folders(f"{account}{LOGS}/"):
                yield Place(account.split("/")[-2], region.split("/")[-2])

    def _folders(self, prefix: str) -> Iterator[str]:
        with storage_errors(f"list s3://{self._bucket}/{prefix}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix, Delimiter="/"
            )
            for page in pages:
                yield from (folder["Prefix"] for folder in page.get("CommonPrefixes", []))


class DynamoLookupRate:
    """Counts the lookups of each account, Region and second, over all that answer them."""

    def __init__(self, client: Any, table: str, *, per_second: int) -> None:
        self._client = client
        self._table = table
        self._per_second = per_second

    def take(self, account: str, region: str, now: datetime) -> bool:
        """Count one lookup; False when this second has had its number.

        Raises:
            StorageError: the table refused or did not answer.
        """
        second = int(now.timestamp())
        try:
            with storage_errors(f"update dynamodb {self._table} rate of {account} {region}"):
                self._client.update_item(
                    TableName=self._table,
                    Key=items.key(f"rate#{account}#{region}", f"{second:011d}"),
                    UpdateExpression="ADD lookups :one SET expires = :expires",
                    ConditionExpression="attribute_not_exists(lookups) OR lookups < :most",
                    ExpressionAttributeValues={
                        ":one": {"N": "1"},
                        ":most": {"N": str(self._per_second)},
                        ":expires": {"N": str(second + RATE_LIFE_SECONDS)},
                    },
                )
        except ConflictError:
            return False
        return True
