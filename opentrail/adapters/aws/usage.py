"""What was delivered, in the ledger table.

* ``pk = usage``, ``sk = <day>#<chain>#<digest>``: what the files of a digest count up to.
* ``pk = usage``, ``sk = <day>#<chain>#files``: what a day's files without digest do, once
  ``pk = usage-days``, ``sk = <day>`` is there. Until then their rows are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from opentrail.adapters.aws import items
from opentrail.adapters.aws.failure import storage_errors
from opentrail.adapters.aws.items import Item
from opentrail.adapters.aws.ledger import DynamoLedger
from opentrail.branches.usage import sum_files
from opentrail.format.times import from_epoch
from opentrail.model.log_file import FileRow, FileState
from opentrail.model.usage import Reading

DAYS = "usage-days"
FILES = "files"
ALL_TIME = 10**11  # epoch seconds, in the year 5138
ROW_DAYS = items.FILE_LIFE_SECONDS // 86_400


class DynamoUsage:
    """Usage of days that are over, and of files whose rows are still there."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table
        self._ledger = DynamoLedger(client, table)

    def readings(self, first: date, last: date, *, today: date) -> Iterator[Reading]:
        """Everything delivered from the day ``first`` to the day ``last``; a chain may come several times.

        Raises:
            StorageError: the ledger did not answer.
        """
        since, until = first.isoformat(), last.isoformat()
        summed = self.summed_days(since, until)
        for item in self._query(items.USAGE, since, f"{until}~"):
            reading = items.to_reading(item)
            if not item["sk"]["S"].endswith(f"#{FILES}") or reading.day in summed:
                yield reading
        start = max(first, today - timedelta(days=ROW_DAYS + 1))
        for day in (start + timedelta(days=n) for n in range((min(last, today) - start).days + 1)):
            if day.isoformat() not in summed:
                yield from sum_files(day.isoformat(), self.files_of(day.isoformat()))
        yield from self._open(since, until)

    def summed_days(self, first: str, last: str) -> set[str]:
        """See ``opentrail.branches.usage.Shelf``."""
        return {item["sk"]["S"] for item in self._query(DAYS, first, last)}

    def files_of(self, day: str) -> Iterator[FileRow]:
        """See ``opentrail.branches.usage.Shelf``."""
        return map(items.to_file_row, self._query(f"file#{day}", day, f"{day}~"))

    def put_day(self, day: str, readings: Sequence[Reading]) -> None:
        """See ``opentrail.branches.usage.Shelf``."""
        for reading in readings:
            place = reading.place
            name = f"{day}#{reading.destination}#{place.account}#{place.region}#{FILES}"
            self._put(items.usage_item(name, reading.usage))
        self._put({**items.key(DAYS, day), "expires": items.usage_expiry(day)})

    def _open(self, since: str, until: str) -> Iterator[Reading]:
        """Files that the next digest will list."""
        for chain in self._ledger.chains():
            for row in self._ledger.open_files(chain.id, before=ALL_TIME, limit=ALL_TIME):
                day = f"{from_epoch(row.file.created_at):%Y-%m-%d}"
                if row.state is FileState.DELIVERED and since <= day <= until:
                    yield Reading(
                        day=day, destination=chain.trail_arn, place=chain.place, usage=row.file.usage
                    )

    def _put(self, item: Item) -> None:
        with storage_errors(f"write {item['pk']['S']} {item['sk']['S']}"):
            self._client.put_item(TableName=self._table, Item=item)

    def _query(self, pk: str, first: str, last: str) -> Iterator[Item]:
        start: dict[str, Any] = {}
        while True:
            with storage_errors(f"query {pk}"):
                answer = self._client.query(
                    TableName=self._table,
                    KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                    ExpressionAttributeValues={
                        ":pk": {"S": pk},
                        ":first": {"S": first},
                        ":last": {"S": last},
                    },
                    ConsistentRead=True,
                    **start,
                )
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
