"""Heads of digest chains in a DynamoDB table of their own, and on a topic.

* ``pk = <line>``, ``sk = <end>``: a head, written once and never changed. A line is
  a chain (``<trail ARN>#<account>#<region>``) or its late files (``...#backfill``).
* ``pk = newest``, ``sk = <line>``: a copy of the line's newest head. It moves with the
  head in one transaction, and only forward.

All heads are kept, not only the newest: a chain that began anew after a stop does not
name what came before it, and a head in the middle names the digest that was replaced.
A digest costs one kilobyte here. Nothing may delete an item, and none expires.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from opentrail.adapters.aws import items
from opentrail.adapters.aws.failure import storage_errors
from opentrail.adapters.aws.items import Item
from opentrail.adapters.aws.sns import SnsTopics
from opentrail.errors import ConflictError, StorageError
from opentrail.format.times import to_iso
from opentrail.model.digest import Head, late_line

NEWEST = "newest"
REFUSED = "AnchorRefused"

_ONCE = "attribute_not_exists(pk) OR sha256 = :sha256"
_FORWARD = "attribute_not_exists(pk) OR #end < :end OR (#end = :end AND sha256 = :sha256)"


class DynamoAnchor:
    """The anchor table. ``topic_arn`` may be empty; else the topic hears of each head, at least once."""

    def __init__(
        self, client: Any, table: str, *, topics: SnsTopics | None = None, topic_arn: str = ""
    ) -> None:
        self._client = client
        self._table = table
        self._topics = topics
        self._topic_arn = topic_arn

    # What writes

    def check(self, head: Head) -> None:
        """See ``opentrail.pipeline.digest.ports.Anchor``."""
        newest = self._get(NEWEST, head.line)
        if newest is None or newest.end < head.end:
            return
        kept = newest if newest.end == head.end else self._get(head.line, head.end)
        if kept is None or kept.sha256 != head.sha256:
            raise StorageError(
                f"the anchor holds {newest.key} already and does not take s3://{head.bucket}/{head.key}",
                REFUSED,
            )

    def write(self, head: Head) -> None:
        """See ``opentrail.pipeline.digest.ports.Anchor``."""
        try:
            with storage_errors(f"anchor {head.key}"):
                self._client.transact_write_items(TransactItems=self._writes(head))
        except ConflictError:
            self.check(head)  # another run wrote it, and has gone on; all else is refused
        if self._topics is not None and self._topic_arn:
            self._topics.publish(self._topic_arn, msgspec.json.encode(head).decode())

    def _writes(self, head: Head) -> list[dict[str, Any]]:
        known = {":sha256": {"S": head.sha256}}
        newest = {
            "Item": _to_item(NEWEST, head.line, head),
            "ConditionExpression": _FORWARD,
            "ExpressionAttributeNames": {"#end": "end"},
            "ExpressionAttributeValues": {**known, ":end": {"S": head.end}},
        }
        once = {
            "Item": _to_item(head.line, head.end, head),
            "ConditionExpression": _ONCE,
            "ExpressionAttributeValues": known,
        }
        return [{"Put": {"TableName": self._table, **write}} for write in (once, newest)]

    def _get(self, pk: str, sk: str) -> Head | None:
        with storage_errors(f"read {sk} of {self._table}"):
            answer = self._client.get_item(TableName=self._table, Key=items.key(pk, sk), ConsistentRead=True)
        return _to_head(answer["Item"]) if "Item" in answer else None

    # What reads

    def newest(self) -> list[Head]:
        """The newest head of every line.

        Raises:
            StorageError: the table did not answer.
        """
        return list(self._query("pk = :pk", {":pk": {"S": NEWEST}}))

    def heads(self, chain_id: str, start: datetime, end: datetime) -> list[Head]:
        """Every head of a chain whose window ends between the two, oldest first; then those of late files.

        Raises:
            StorageError: the table did not answer.
        """
        span = {":start": {"S": to_iso(start)}, ":end": {"S": to_iso(end)}}
        lines = (chain_id, late_line(chain_id))
        condition = "pk = :pk AND sk BETWEEN :start AND :end"
        return [head for line in lines for head in self._query(condition, {":pk": {"S": line}, **span})]

    def _query(self, condition: str, values: Item) -> Iterator[Head]:
        pages = self._client.get_paginator("query")
        with storage_errors(f"query {self._table}"):
            for page in pages.paginate(
                TableName=self._table,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
            ):
                yield from map(_to_head, page["Items"])


def _to_item(pk: str, sk: str, head: Head) -> Item:
    return {
        **items.key(pk, sk),
        "end": {"S": head.end},
        "sha256": {"S": head.sha256},
        "head": {"S": msgspec.json.encode(head).decode()},
    }


def _to_head(item: Item) -> Head:
    return msgspec.json.decode(item["head"]["S"], type=Head)
