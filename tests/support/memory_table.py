"""A DynamoDB table in memory, as far as event history's index uses one: quick, and it counts what is read."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

PAGE_BYTES = 1 << 20
TRANSACTION_BYTES = 4 << 20
TRANSACTION_ITEMS = 100
READ_UNIT_BYTES = 4096
WRITE_UNIT_BYTES = 1024


class MemoryTable:
    """Queries, transactions and reads by key of one table, in units of on-demand capacity."""

    def __init__(self) -> None:
        self.requests = 0
        self.read_units = 0.0
        self.write_units = 0.0
        self._rows: dict[str, dict[str, Any]] = {}
        self._sorted: dict[str, list[str]] = {}
        self._bytes: dict[tuple[str, str], int] = {}  # kept, so that reading costs little

    def query(self, **call: Any) -> dict[str, Any]:
        """One page: DynamoDB's limits, and half a unit for every 4 KB, at least one half."""
        values = call["ExpressionAttributeValues"]
        pk, low, high = (values[name]["S"] for name in (":pk", ":first", ":last"))
        forward = call["ScanIndexForward"]
        after = call.get("ExclusiveStartKey", {}).get("sk", {}).get("S")
        keys, rows = self._sorted.get(pk, []), self._rows.get(pk, {})
        first, last = bisect.bisect_left(keys, low), bisect.bisect_right(keys, high)
        if after is not None and forward:
            first = bisect.bisect_right(keys, after)
        elif after is not None:
            last = bisect.bisect_left(keys, after)
        found = keys[first:last] if forward else keys[first:last][::-1]
        page: list[dict[str, Any]] = []
        size = 0
        for sk in found:
            if len(page) == call["Limit"] or size > PAGE_BYTES:
                break
            page.append(rows[sk])
            size += self._bytes[pk, sk]
        self.requests += 1
        self.read_units += 0.5 * max(-(-size // READ_UNIT_BYTES), 1)
        more = {"LastEvaluatedKey": {"sk": page[-1]["sk"]}} if len(page) < len(found) else {}
        return {"Items": page, **more}

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:
        """Consistent reads; each item is rounded for itself."""
        ((name, wanted),) = RequestItems.items()
        keys = [(key["pk"]["S"], key["sk"]["S"]) for key in wanted["Keys"]]
        found = [self._rows[pk][sk] for pk, sk in keys if sk in self._rows.get(pk, {})]
        self.requests += 1
        self.read_units += sum(-(-item_bytes(item) // READ_UNIT_BYTES) for item in found)
        return {"Responses": {name: found}}

    def transact_write_items(self, TransactItems: list[dict[str, Any]]) -> None:
        """All or nothing, at twice the units of the writes."""
        deletes = [write["Delete"]["Key"] for write in TransactItems if "Delete" in write]
        puts = [write["Put"]["Item"] for write in TransactItems if "Put" in write]
        old = [self._rows.get(key["pk"]["S"], {}).get(key["sk"]["S"]) for key in deletes]
        if None in old:
            raise _refused("TransactionCanceledException", CancellationReasons=[{"Code": _LOST}])
        if len(TransactItems) > TRANSACTION_ITEMS or sum(map(item_bytes, puts)) > TRANSACTION_BYTES:
            raise _refused("ValidationException")
        self.write_units += 2 * sum(
            -(-item_bytes(item) // WRITE_UNIT_BYTES) for item in [*puts, *old] if item
        )
        for key in deletes:
            del self._rows[key["pk"]["S"]][key["sk"]["S"]]
            self._sorted[key["pk"]["S"]].remove(key["sk"]["S"])
        for item in puts:
            self.put(item)

    def put(self, item: dict[str, Any]) -> None:
        """Put one item, uncounted."""
        pk, sk = item["pk"]["S"], item["sk"]["S"]
        rows, keys = self._rows.setdefault(pk, {}), self._sorted.setdefault(pk, [])
        if sk not in rows:
            bisect.insort(keys, sk)
        rows[sk] = item
        self._bytes[pk, sk] = item_bytes(item)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every item."""
        return itertools.chain.from_iterable(rows.values() for rows in self._rows.values())


_LOST = "ConditionalCheckFailed"


def item_bytes(item: dict[str, Any], *leave_out: str) -> int:
    """An item's size as DynamoDB counts it: names and values."""
    size = 0
    for name, value in item.items():
        if name not in leave_out:
            (content,) = value.values()
            size += len(name) + (len(content) if isinstance(content, str | bytes) else 1)
    return size


def _refused(code: str, **more: Any) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": ""}, **more}
    return ClientError(answer, "TransactWriteItems")
