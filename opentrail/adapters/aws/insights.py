"""The history table, as Insights uses it: counts out of the index items, its own state beside them.

State has ``pk = insights#<account>#<region>``, ``sk = <name>#<part>``; what is larger
than an item lies in several parts, of which the first carries the version.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from opentrail.adapters.aws import items
from opentrail.adapters.aws.failure import storage_errors
from opentrail.branches.insights.count import Counted
from opentrail.branches.insights.keep import read_segment_counts, read_series_counts
from opentrail.branches.insights.ports import Kept
from opentrail.branches.insights.series import Counts, Scope, Series, join_series, split_series, to_minute
from opentrail.errors import StorageError

PART_BYTES = 350_000  # an item holds 400 KB (DynamoDB quotas)
# What is kept is written again at least daily, but for the counts of past days: nobody asks for those after
# 90 days (ListInsightsMetricData). Parts of what was replaced go the same way.
STATE_SECONDS = 92 * 86_400
BUS_ENTRIES = 10  # PutEvents, EventBridge API reference
SOURCE = "opentrail"  # EventBridge keeps aws.* to itself
DETAIL_TYPE = "AWS Insight via CloudTrail"


class DynamoInsights:
    """Counts and state of any scope. Reads are strongly consistent."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def counts(self, scope: Scope, *, created_from: float, created_to: float) -> Counted:
        """See ``opentrail.branches.insights.ports.CountSource``."""
        counted: Counted = {}
        minutes: dict[str, int] = {}
        for item in self._segments(scope, "counts", created_from, created_to):
            for name, by_minute in read_segment_counts(item["counts"]["B"]).items():
                of_series = counted.setdefault(split_series(scope, name), {})
                for text, count in by_minute.items():
                    minute = minutes.get(text)
                    if minute is None:
                        minute = minutes[text] = to_minute(text)
                    of_series[minute] = of_series.get(minute, 0) + count
        return counted

    def counts_of(self, series: Series, *, first: int, end: int) -> Counts:
        """See ``opentrail.api.ports.CallCounts``."""
        name, counts = join_series(series), Counter[int]()
        start, stop = first * 60 - items.AHEAD_SECONDS, end * 60 + items.LATE_SECONDS
        for item in self._segments(series.scope, "counts", start, stop):
            for text, count in read_series_counts(bytes(item["counts"]["B"]), name).items():
                minute = to_minute(text)
                if first <= minute < end:
                    counts[minute] += count
        return counts

    def callers(self, scope: Scope, *, created_from: float, created_to: float) -> Iterator[bytes]:
        """See ``opentrail.branches.insights.ports.CountSource``."""
        for item in self._segments(scope, "callers", created_from, created_to):
            yield bytes(item["callers"]["B"])

    def oldest(self, scope: Scope) -> float | None:
        """See ``opentrail.branches.insights.ports.CountSource``."""
        queries = (self._query(scope, pk, "counts", 0, 9_999_999_999, Limit=1) for pk in _counts_keys(scope))
        first = [next(found, None) for found in queries]
        return min((items.segment_created(item) for item in first if item), default=None)

    def read(self, scope: Scope, names: Iterable[str]) -> Sequence[Kept]:
        """See ``opentrail.branches.insights.ports.Memory``."""
        return [self._read(scope, name) for name in names]

    def write(self, scope: Scope, name: str, body: bytes, *, version: int) -> int:
        """See ``opentrail.branches.insights.ports.Memory``.

        Later parts are written before the first, under names of the new version, so a reader
        never sees parts of two writes.
        """
        parts = [body[at : at + PART_BYTES] for at in range(0, len(body), PART_BYTES)] or [b""]
        for number, part in enumerate(parts[1:], start=1):
            self._put(scope, f"{name}#{version + 1}#{number}", {"body": {"B": part}})
        head = {
            "body": {"B": parts[0]},
            "version": {"N": str(version + 1)},
            "parts": {"N": str(len(parts))},
        }
        self._put(
            scope,
            f"{name}#",
            head,
            ConditionExpression="version = :read OR (attribute_not_exists(pk) AND :read = :none)",
            ExpressionAttributeValues={":read": {"N": str(version)}, ":none": {"N": "0"}},
        )
        return version + 1

    def _read(self, scope: Scope, name: str) -> Kept:
        head = self._get(scope, f"{name}#")
        if head is None:
            return Kept(b"", 0)
        version, body = int(head["version"]["N"]), _bytes(head)
        for number in range(1, int(head["parts"]["N"])):
            part = self._get(scope, f"{name}#{version}#{number}")
            if part is None:
                raise StorageError(f"part {number} of {name} is missing", "ResourceNotFoundException")
            body += _bytes(part)
        return Kept(body, version)

    def _get(self, scope: Scope, sk: str) -> dict[str, Any] | None:
        with storage_errors(f"read {sk} of {_name(scope)}"):
            answer = self._client.get_item(
                TableName=self._table, Key=items.key(_state_key(scope), sk), ConsistentRead=True
            )
        found: dict[str, Any] | None = answer.get("Item")
        return found

    def _put(self, scope: Scope, sk: str, attributes: dict[str, Any], **condition: Any) -> None:
        expires = {"N": str(int(time.time()) + STATE_SECONDS)}
        item = {**items.key(_state_key(scope), sk), **attributes, "expires": expires}
        with storage_errors(f"write {sk} of {_name(scope)}"):
            self._client.put_item(TableName=self._table, Item=item, **condition)

    def _segments(self, scope: Scope, attribute: str, start: float, end: float) -> Iterator[dict[str, Any]]:
        """Each once, although the roll-up may move one between the queries."""
        seen: set[str] = set()
        for pk in _counts_keys(scope):
            for item in self._query(scope, pk, attribute, start, end):
                if item["sk"]["S"] not in seen:
                    seen.add(item["sk"]["S"])
                    yield item

    def _query(
        self, scope: Scope, pk: str, attribute: str, start: float, end: float, **more: Any
    ) -> Iterator[dict[str, Any]]:
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :start AND :end",
            "ExpressionAttributeValues": {
                ":pk": {"S": pk},
                ":start": {"S": f"{max(int(start * 1000), 0):013d}"},
                ":end": {"S": f"{int(end * 1000):013d}~"},
            },
            "ProjectionExpression": "sk, #c",
            "ExpressionAttributeNames": {"#c": attribute},
            "ConsistentRead": True,
            **more,
        }
        while True:
            with storage_errors(f"query segments of {_name(scope)}"):
                answer = self._client.query(**arguments)
            yield from (item for item in answer["Items"] if attribute in item)
            if "LastEvaluatedKey" not in answer:
                return
            arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _bytes(item: dict[str, Any]) -> bytes:
    body: bytes = item["body"]["B"]
    return body


def _name(scope: Scope) -> str:
    """How messages and keys name it."""
    of_trail = f"#{scope.trail}" if scope.trail else ""
    return f"{scope.place.account}#{scope.place.region}{of_trail}"


def _counts_keys(scope: Scope) -> tuple[str, ...]:
    """Where counts are, in the order to read them: what moves goes from the first to the second."""
    if scope.trail:
        return (items.data_pk(scope.place, scope.trail),)
    return items.segment_pk(scope.place), items.bound_pk(scope.place)


def _state_key(scope: Scope) -> str:
    return f"insights#{_name(scope)}"


class EventBus:
    """The default bus, for whoever wants to act on Insights."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def put(self, records: Sequence[bytes]) -> None:
        """Publish records of Insight events.

        Raises:
            StorageError: EventBridge refused one or did not answer.
        """
        entries = [{"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": raw.decode()} for raw in records]
        for start in range(0, len(entries), BUS_ENTRIES):
            with storage_errors("put Insight events on the bus"):
                answer = self._client.put_events(Entries=entries[start : start + BUS_ENTRIES])
            for failed in answer["Entries"]:
                if "ErrorCode" in failed:
                    raise StorageError(
                        f"put Insight events: {failed.get('ErrorMessage')}", failed["ErrorCode"]
                    )


def intake_body(raw: bytes) -> str:
    """The message that takes an Insight event's record into the line, as EventBridge would have."""
    record = json.loads(raw)
    head = {
        "version": "0",
        "id": record["eventID"],
        "detail-type": DETAIL_TYPE,
        "source": SOURCE,
        "account": record["recipientAccountId"],
        "time": record["eventTime"],
        "region": record["awsRegion"],
        "resources": [],
    }
    return json.dumps(head, separators=(",", ":"))[:-1] + ',"detail":' + raw.decode() + "}"
