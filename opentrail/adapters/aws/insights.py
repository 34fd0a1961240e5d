"""The history table, as Insights uses it: counts out of the index items, its own state beside them.

State has ``pk = insights#<account>#<region>``, ``sk = <name>#<part>``; what is larger
than an item lies in several parts, of which the first carries the version.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from opentrail.adapters.aws import items
from opentrail.adapters.aws.failure import storage_errors
from opentrail.branches.insights.count import Counted
from opentrail.branches.insights.keep import read_segment_counts, split_series
from opentrail.branches.insights.ports import Kept
from opentrail.branches.insights.series import to_minute
from opentrail.errors import StorageError
from opentrail.model.event import Place

PART_BYTES = 350_000  # an item holds 400 KB (DynamoDB quotas)
BUS_ENTRIES = 10  # PutEvents, EventBridge API reference
SOURCE = "opentrail"  # EventBridge keeps aws.* to itself
DETAIL_TYPE = "AWS Insight via CloudTrail"


class DynamoInsights:
    """Counts and state of any place. Reads are strongly consistent."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def counts(self, place: Place, *, created_from: float, created_to: float) -> Counted:
        """See ``opentrail.branches.insights.ports.CountSource``."""
        counted: Counted = {}
        minutes: dict[str, int] = {}
        for item in self._segments(place, created_from, created_to):
            for name, by_minute in read_segment_counts(item["counts"]["B"]).items():
                of_series = counted.setdefault(split_series(place, name), {})
                for text, count in by_minute.items():
                    minute = minutes.get(text)
                    if minute is None:
                        minute = minutes[text] = to_minute(text)
                    of_series[minute] = of_series.get(minute, 0) + count
        return counted

    def oldest(self, place: Place) -> float | None:
        """See ``opentrail.branches.insights.ports.CountSource``."""
        found = next(self._segments(place, 0, 9_999_999_999, Limit=1), None)
        return None if found is None else int(found["sk"]["S"][:13]) / 1000

    def read(self, place: Place, names: Iterable[str]) -> Sequence[Kept]:
        """See ``opentrail.branches.insights.ports.Memory``."""
        return [self._read(place, name) for name in names]

    def write(self, place: Place, name: str, body: bytes, *, version: int) -> int:
        """See ``opentrail.branches.insights.ports.Memory``.

        Later parts are written before the first, under names of the new version, so a reader
        never sees parts of two writes.
        """
        parts = [body[at : at + PART_BYTES] for at in range(0, len(body), PART_BYTES)] or [b""]
        for number, part in enumerate(parts[1:], start=1):
            self._put(place, f"{name}#{version + 1}#{number}", {"body": {"B": part}})
        head = {
            "body": {"B": parts[0]},
            "version": {"N": str(version + 1)},
            "parts": {"N": str(len(parts))},
        }
        self._put(
            place,
            f"{name}#",
            head,
            ConditionExpression="version = :read OR (attribute_not_exists(pk) AND :read = :none)",
            ExpressionAttributeValues={":read": {"N": str(version)}, ":none": {"N": "0"}},
        )
        return version + 1

    def _read(self, place: Place, name: str) -> Kept:
        head = self._get(place, f"{name}#")
        if head is None:
            return Kept(b"", 0)
        version, body = int(head["version"]["N"]), _bytes(head)
        for number in range(1, int(head["parts"]["N"])):
            part = self._get(place, f"{name}#{version}#{number}")
            if part is None:
                raise StorageError(f"part {number} of {name} is missing", "ResourceNotFoundException")
            body += _bytes(part)
        return Kept(body, version)

    def _get(self, place: Place, sk: str) -> dict[str, Any] | None:
        with storage_errors(f"read {sk} of {place}"):
            answer = self._client.get_item(
                TableName=self._table, Key=items.key(_state_key(place), sk), ConsistentRead=True
            )
        found: dict[str, Any] | None = answer.get("Item")
        return found

    def _put(self, place: Place, sk: str, attributes: dict[str, Any], **condition: Any) -> None:
        item = {**items.key(_state_key(place), sk), **attributes}
        with storage_errors(f"write {sk} of {place}"):
            self._client.put_item(TableName=self._table, Item=item, **condition)

    def _segments(self, place: Place, start: float, end: float, **more: Any) -> Iterator[dict[str, Any]]:
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :start AND :end",
            "ExpressionAttributeValues": {
                ":pk": {"S": f"{place.account}#{place.region}"},
                ":start": {"S": f"{max(int(start * 1000), 0):013d}"},
                ":end": {"S": f"{int(end * 1000):013d}~"},
            },
            "ProjectionExpression": "sk, #c",
            "ExpressionAttributeNames": {"#c": "counts"},
            "ConsistentRead": True,
            **more,
        }
        while True:
            with storage_errors(f"query segments of {place}"):
                answer = self._client.query(**arguments)
            yield from (item for item in answer["Items"] if "counts" in item)
            if "LastEvaluatedKey" not in answer:
                return
            arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _bytes(item: dict[str, Any]) -> bytes:
    body: bytes = item["body"]["B"]
    return body


def _state_key(place: Place) -> str:
    return f"insights#{place.account}#{place.region}"


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
