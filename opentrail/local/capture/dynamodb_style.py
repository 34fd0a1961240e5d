"""DynamoDB's item operations: the keys they used and the names of attributes, never values.

Source: DynamoDB developer guide, "Logging DynamoDB operations by using AWS CloudTrail":
``key`` holds plain values, ``item`` is the list of an item's attribute names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from opentrail.local.capture.resources import partition_of

Spelled = dict[str, Any]
WRITES = {"PutRequest": "Item", "DeleteRequest": "Key"}


def item_parameters(
    spelled: dict[str, Any], asked: Mapping[str, Any], place: Mapping[str, str]
) -> dict[str, Any]:
    """Replace items, keys and batches in ``spelled`` by what records show of them."""
    table = str(asked.get("TableName", ""))
    if "Item" in asked:
        spelled["key"] = plain(_key_of(asked["Item"], table, place))
        spelled["item"] = list(asked["Item"])
    if "Key" in asked:
        spelled["key"] = plain(asked["Key"])
    if "ExclusiveStartKey" in asked:
        spelled["exclusiveStartKey"] = plain(asked["ExclusiveStartKey"])
    if "RequestItems" in asked:
        spelled["requestItems"] = list(_batches(asked["RequestItems"], place))
    return spelled


def plain(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """``{"id": {"S": "1"}}`` -> ``{"id": "1"}``; binary values are left out."""
    return {
        name: value
        for name, typed in attributes.items()
        for value in typed.values()
        if not isinstance(value, bytes)
    }


def _key_of(item: Mapping[str, Any], table: str, place: Mapping[str, str]) -> dict[str, Any]:
    names = _key_names(table, place)
    return {name: value for name, value in item.items() if name in names}


def _key_names(table: str, place: Mapping[str, str]) -> set[str]:
    """The key attributes of a table as moto keeps it; none when there is no such table."""
    if partition_of(place["region"]) != "aws":
        return set()
    tables = dynamodb_backends[place["account"]][place["region"]].tables
    known = tables.get(table.rpartition("/")[2])
    return {str(part["AttributeName"]) for part in known.schema} if known else set()


def _batches(requests: Mapping[str, Any], place: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for table, wanted in requests.items():
        if isinstance(wanted, Mapping):
            yield {"tableName": table, "keys": [plain(key) for key in wanted.get("Keys", ())]}
        else:
            yield {"tableName": table, "keys": [_written_key(write, table, place) for write in wanted]}


def _written_key(
    write: Mapping[str, Mapping[str, Any]], table: str, place: Mapping[str, str]
) -> dict[str, Any]:
    for kind, member in WRITES.items():
        if kind in write:
            return plain(_key_of(write[kind][member], table, place))
    return {}
