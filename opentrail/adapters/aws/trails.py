"""Trails and their delivery status in one DynamoDB table.

Two kinds of item, told apart by the partition key:

* ``pk = trail#<account>``, ``sk = <home Region>#<name>``: one trail; ``body`` is
  its JSON and ``version`` counts its writes, so that two writers cannot both win.
* ``pk = status#<trail ARN>``, ``sk = <Region>``: the latest outcomes of that
  trail in that Region, one attribute per field, so that delivery, digest and
  notification each update their own fields without reading the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from opentrail.adapters.aws.failure import storage_errors
from opentrail.errors import StorageError
from opentrail.model.trail import Trail, TrailStatus

TRAIL_PREFIX = "trail#"
STATUS_PREFIX = "status#"
STATUS_TYPES = {field.name: field.type for field in msgspec.structs.fields(TrailStatus)}

Item = dict[str, dict[str, Any]]


class StoredTrail(NamedTuple):
    """A trail and the version a conditional write must name."""

    trail: Trail
    version: int


class DynamoTrails:
    """The trails table. All reads are strongly consistent: a started trail is seen at once."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def trails_of(self, account: str) -> list[Trail]:
        """Every trail ``account`` owns, in any Region, ordered by home Region and name.

        Raises:
            StorageError: the table refused or did not answer.
        """
        items = self._pages(
            self._client.query,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": TRAIL_PREFIX + account}},
        )
        return [_to_stored(item).trail for item in items]

    def all_trails(self) -> list[Trail]:
        """Every trail of every account. Reads the whole table; meant for the line, which caches it.

        Raises:
            StorageError: the table refused or did not answer.
        """
        items = self._pages(
            self._client.scan,
            FilterExpression="begins_with(pk, :prefix)",
            ExpressionAttributeValues={":prefix": {"S": TRAIL_PREFIX}},
        )
        return [_to_stored(item).trail for item in items]

    def get(self, account: str, home_region: str, name: str) -> Trail | None:
        """The trail, or None when there is none of that name.

        Raises:
            StorageError: the table refused or did not answer.
        """
        stored = self.read(account, home_region, name)
        return stored.trail if stored else None

    def read(self, account: str, home_region: str, name: str) -> StoredTrail | None:
        """The trail with its version, for a later ``replace``.

        Raises:
            StorageError: the table refused or did not answer.
        """
        key = _trail_key(account, home_region, name)
        answer = self._call("get", self._client.get_item, Key=key, ConsistentRead=True)
        return _to_stored(answer["Item"]) if "Item" in answer else None

    def put(self, trail: Trail, *, new: bool) -> None:
        """Store ``trail`` whatever its version; with ``new`` only when there is none of its name.

        Raises:
            ConflictError: ``new``, and the trail exists.
            StorageError: the table refused or did not answer.
        """
        condition = {"ConditionExpression": "attribute_not_exists(pk)"} if new else {}
        self._write(trail, condition, {})

    def replace(self, trail: Trail, *, version: int) -> None:
        """Store ``trail`` over the version that was read.

        Raises:
            ConflictError: the trail was changed or deleted since.
            StorageError: the table refused or did not answer.
        """
        self._write(trail, {"ConditionExpression": "version = :read"}, {":read": {"N": str(version)}})

    def delete(self, trail: Trail) -> None:
        """Delete the trail; its status items stay until ``delete_status``.

        Raises:
            ConflictError: it is already gone.
            StorageError: the table refused or did not answer.
        """
        self._call(
            "delete",
            self._client.delete_item,
            Key=_trail_key(trail.account, trail.home_region, trail.name),
            ConditionExpression="attribute_exists(pk)",
        )

    def status(self, arn: str, region: str) -> TrailStatus:
        """The latest outcomes of one trail in one Region; all unset when nothing happened yet.

        Raises:
            StorageError: the table refused or did not answer.
        """
        answer = self._call("get", self._client.get_item, Key=_status_key(arn, region), ConsistentRead=True)
        item = answer.get("Item", {})
        known = {name: _from_attribute(item[name]) for name in STATUS_TYPES if name in item}
        return msgspec.convert(known, TrailStatus)

    def update_status(self, arn: str, region: str, **fields: float | str) -> None:
        """Set the named fields of ``TrailStatus`` and leave the others as they are.

        Args:
            arn: of the trail.
            region: where the outcome happened.
            fields: times in epoch seconds, errors as text ("" clears one); at least one.

        Raises:
            StorageError: the table refused or did not answer.
            TypeError: no field, or one that ``TrailStatus`` does not have.
        """
        if not fields or not fields.keys() <= STATUS_TYPES.keys():
            raise TypeError(f"not fields of TrailStatus: {sorted(fields.keys() - STATUS_TYPES.keys())}")
        names = sorted(fields)
        self._call(
            "update",
            self._client.update_item,
            Key=_status_key(arn, region),
            UpdateExpression="SET " + ", ".join(f"#{i} = :{i}" for i in range(len(names))),
            ExpressionAttributeNames={f"#{i}": name for i, name in enumerate(names)},
            ExpressionAttributeValues={f":{i}": _to_attribute(fields[name]) for i, name in enumerate(names)},
        )

    def delete_status(self, arn: str) -> None:
        """Forget the outcomes of a trail in every Region.

        Raises:
            StorageError: the table refused or did not answer.
        """
        items = self._pages(
            self._client.query,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": STATUS_PREFIX + arn}},
            ProjectionExpression="pk, sk",
        )
        for item in items:
            self._call("delete", self._client.delete_item, Key={"pk": item["pk"], "sk": item["sk"]})

    def _write(self, trail: Trail, condition: dict[str, str], values: Item) -> None:
        self._call(
            "put",
            self._client.update_item,
            Key=_trail_key(trail.account, trail.home_region, trail.name),
            UpdateExpression="SET body = :body ADD version :one",
            ExpressionAttributeValues={
                ":body": {"S": msgspec.json.encode(trail).decode()},
                ":one": {"N": "1"},
                **values,
            },
            **condition,
        )

    def _pages(self, read: Callable[..., Any], **arguments: Any) -> Iterator[Item]:
        start: dict[str, Any] = {}
        while True:
            answer = self._call("read", read, ConsistentRead=True, **arguments, **start)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _call(self, verb: str, method: Callable[..., Any], **arguments: Any) -> Any:
        with storage_errors(f"{verb} dynamodb {self._table}"):
            return method(TableName=self._table, **arguments)


def _trail_key(account: str, home_region: str, name: str) -> Item:
    return {"pk": {"S": TRAIL_PREFIX + account}, "sk": {"S": f"{home_region}#{name}"}}


def _status_key(arn: str, region: str) -> Item:
    return {"pk": {"S": STATUS_PREFIX + arn}, "sk": {"S": region}}


def _to_stored(item: Item) -> StoredTrail:
    try:
        trail = msgspec.json.decode(item["body"]["S"], type=Trail)
        return StoredTrail(trail, int(item["version"]["N"]))
    except (KeyError, msgspec.DecodeError) as error:
        raise StorageError(f"trail item {item.get('pk')} {item.get('sk')} is damaged: {error}") from error


def _to_attribute(value: float | str) -> dict[str, str]:
    # Milliseconds are all that is kept of a time; more digits than 38 are refused by DynamoDB.
    return {"S": value} if isinstance(value, str) else {"N": str(round(Decimal(str(value)), 3))}


def _from_attribute(attribute: dict[str, Any]) -> float | str:
    return float(attribute["N"]) if "N" in attribute else str(attribute["S"])
