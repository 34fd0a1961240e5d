"""Reading and writing the history table: pages that grow, transactions, items by their keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from opentrail.adapters.aws import items
from opentrail.adapters.aws.failure import storage_errors
from opentrail.adapters.aws.items import Item

LARGEST_PAGE = 2048  # items; DynamoDB itself ends a page at 1 MB
ALWAYS = items.LAST_MILLISECOND / 1000


class HistoryTable:
    """One table whose sort keys begin with a time of creation."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def query(
        self,
        pk: str,
        attributes: Sequence[str],
        *,
        first: float = 0,
        last: float = ALWAYS,
        newest_first: bool = True,
        page: int = LARGEST_PAGE,
    ) -> Iterator[Item]:
        """The items of ``pk`` created between two epoch seconds; ``page`` of them at once, then more.

        Raises:
            StorageError: the table refused or did not answer.
        """
        names = {f"#{number}": name for number, name in enumerate(attributes)}
        start: dict[str, Any] = {}
        while True:
            with storage_errors(f"query dynamodb {self._name} {pk}"):
                answer = self._client.query(
                    TableName=self._name,
                    KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                    ExpressionAttributeValues={
                        ":pk": {"S": pk},
                        ":first": {"S": items.segment_sk(max(first, 0))},
                        ":last": {"S": f"{items.segment_sk(last)}~"},
                    },
                    ProjectionExpression=", ".join(["sk", *names]),
                    ExpressionAttributeNames=names,
                    ScanIndexForward=not newest_first,
                    Limit=page,
                    **start,
                )
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            page, start = min(page * 4, LARGEST_PAGE), {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def read(self, pk: str, sks: Sequence[str]) -> dict[str, Item]:
        """The items with these sort keys, at most 100, as they are now; those not there are left out.

        Raises:
            StorageError: the table refused or did not answer.
        """
        found: dict[str, Item] = {}
        keys = [items.key(pk, sk) for sk in sks]
        wanted: dict[str, Any] = {self._name: {"Keys": keys, "ConsistentRead": True}}
        while wanted:
            with storage_errors(f"read {len(sks)} items of dynamodb {self._name} {pk}"):
                answer = self._client.batch_get_item(RequestItems=wanted)
            found |= {item["sk"]["S"]: item for item in answer["Responses"].get(self._name, [])}
            wanted = answer.get("UnprocessedKeys", {})
        return found

    def exchange(self, doing: str, *, old: Sequence[Item], new: Sequence[Item]) -> None:
        """Take out the items with the keys ``old`` and put ``new`` in, all or nothing.

        Raises:
            ConflictError: one of the old ones is no longer there.
            StorageError: the table refused or did not answer.
        """
        puts = [{"Put": {"TableName": self._name, "Item": item}} for item in new]
        deletes = [
            {
                "Delete": {
                    "TableName": self._name,
                    "Key": key,
                    "ConditionExpression": "attribute_exists(pk)",
                }
            }
            for key in old
        ]
        with storage_errors(doing):
            self._client.transact_write_items(TransactItems=[*puts, *deletes])
