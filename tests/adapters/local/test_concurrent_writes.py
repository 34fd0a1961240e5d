"""Conditional writes to moto's DynamoDB from several threads: without the correction, and with it."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from opentrail.local.transport import Clients
from tests.adapters.local.conftest import Notes


def race_for_one_version(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many of two writers that hold the same version win, when both have checked it at the same time."""
    from moto.dynamodb.models.table import Table

    dynamodb = clients("dynamodb")
    dynamodb.create_table(
        TableName="chains",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    both_checked = threading.Barrier(2)
    original = Table.get_item

    def get_item(*args: Any, **kwargs: Any) -> Any:
        found = original(*args, **kwargs)
        with contextlib.suppress(threading.BrokenBarrierError):
            both_checked.wait(timeout=0.3)  # alone behind a lock, a writer waits in vain and goes on
        return found

    monkeypatch.setattr(Table, "get_item", get_item)

    def write(_: int) -> bool:
        try:
            dynamodb.put_item(
                TableName="chains", Item={"pk": {"S": "a"}}, ConditionExpression="attribute_not_exists(pk)"
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(write, range(2)))


def test_moto_lets_two_writers_of_one_version_win(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    assert race_for_one_version(clients, monkeypatch) == 2


def test_of_two_writers_of_one_version_one_wins(
    notes: Notes, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert race_for_one_version(clients, monkeypatch) == 1
