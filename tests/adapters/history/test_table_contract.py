"""The history table in moto and in memory: one promise, so that the quick double cannot drift."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from opentrail.adapters.aws import items
from opentrail.adapters.aws.history_table import HistoryTable
from opentrail.errors import ConflictError, StorageError
from tests.support.line import Line
from tests.support.memory_table import MemoryTable


@pytest.fixture(params=["memory", "moto"])
def table(request: pytest.FixtureRequest, clients: Callable[[str], Any]) -> HistoryTable:
    if request.param == "memory":
        return HistoryTable(MemoryTable(), "history")
    return HistoryTable(clients("dynamodb"), f"{Line(clients).name}-history")


def item(second: int, pk: str = "p") -> dict[str, Any]:
    return {**items.key(pk, f"{items.segment_sk(second)}#t"), "rows": {"B": bytes([second])}}


def put(table: HistoryTable, *new: dict[str, Any]) -> None:
    table.exchange("put", old=[], new=new)


def seconds(table: HistoryTable, **changes: Any) -> list[int]:
    return [bytes(found["rows"]["B"])[0] for found in table.query("p", ("rows",), **changes)]


def test_items_come_newest_first_or_oldest_first(table: HistoryTable) -> None:
    put(table, item(2), item(1), item(3), item(9, pk="other"))

    assert seconds(table) == [3, 2, 1]
    assert seconds(table, newest_first=False) == [1, 2, 3]


def test_both_ends_of_a_range_belong_to_it(table: HistoryTable) -> None:
    put(table, *(item(second) for second in range(1, 6)))

    assert seconds(table, first=2, last=4) == [4, 3, 2]
    assert seconds(table, first=-1, last=1) == [1]


@pytest.mark.parametrize("newest_first", [True, False])
def test_pages_together_are_everything_once(table: HistoryTable, newest_first: bool) -> None:
    put(table, *(item(second) for second in range(1, 40)))

    found = seconds(table, newest_first=newest_first, page=1)

    assert found == (list(range(39, 0, -1)) if newest_first else list(range(1, 40)))


def test_what_is_taken_out_between_pages_leaves_the_others_where_they_are(table: HistoryTable) -> None:
    put(table, *(item(second) for second in range(1, 9)))
    found = []

    for read in table.query("p", ("rows",), newest_first=False, page=1):
        found.append(bytes(read["rows"]["B"])[0])
        table.exchange("take out", old=[items.key("p", read["sk"]["S"])], new=[])

    assert found == list(range(1, 9))
    assert seconds(table) == []


def test_an_exchange_is_made_whole_or_not_at_all(table: HistoryTable) -> None:
    put(table, item(1))
    gone = items.key("p", "nowhere")

    with pytest.raises(ConflictError):
        table.exchange("swap", old=[items.key("p", item(1)["sk"]["S"]), gone], new=[item(2)])

    assert seconds(table) == [1]


def test_an_exchange_takes_no_more_than_a_transaction(table: HistoryTable) -> None:
    put(table, *(item(second) for second in range(1, 101)))

    with pytest.raises(StorageError, match="put"):
        put(table, *(item(second) for second in range(1, 102)))


def test_items_are_read_by_key_those_that_are_there(table: HistoryTable) -> None:
    put(table, item(1), item(2), item(3))

    found = table.read("p", [item(3)["sk"]["S"], "nowhere", item(1)["sk"]["S"]])

    assert found == {f"{items.segment_sk(second)}#t": item(second) for second in (1, 3)}
