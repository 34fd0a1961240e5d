"""What the ledger writes into DynamoDB beyond the contract: index items and when things expire."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.adapters.aws.items import CHUNK_LIFE_SECONDS
from opentrail.adapters.aws.ledger import DynamoLedger
from opentrail.errors import StorageError
from opentrail.model.log_file import HISTORY, Destination, FileState
from tests.adapters.aws.test_ledger_contract import claim, make_intent
from tests.support.aws import Clients, make_table
from tests.support.values import START, make_destination

T0 = int(START.timestamp())
PAST = Destination(name=HISTORY, bucket="past")


class Tables:
    """A ledger and its two tables."""

    def __init__(self, clients: Clients) -> None:
        self._client = clients("dynamodb")
        self._ledger, self._history = make_table(clients), make_table(clients)
        self.ledger = DynamoLedger(
            self._client, self._ledger, history_table=self._history, history_seconds=90 * 86_400
        )

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._client.scan(TableName=self._ledger)["Items"]
        return sorted(found, key=lambda item: item["pk"]["S"])

    def history(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._client.scan(TableName=self._history)["Items"]
        return found


@pytest.fixture
def tables(clients: Clients) -> Tables:
    return Tables(clients)


def expiries(tables: Tables) -> dict[str, int | None]:
    kinds = {item["pk"]["S"].partition("#")[0]: item.get("expires", {}).get("N") for item in tables.rows()}
    return {kind: int(moment) if moment else None for kind, moment in kinds.items()}


def test_a_file_a_digest_must_list_never_expires_but_the_claim_on_its_chunk_does(tables: Tables) -> None:
    tables.ledger.intend(make_intent("t", claim("a")))

    assert expiries(tables) == {"chain": None, "chunk": T0 + CHUNK_LIFE_SECONDS, "open": None}


def test_a_dropped_file_expires_with_the_claims_on_its_chunks(tables: Tables) -> None:
    intent = make_intent("t", claim("a"))
    tables.ledger.intend(intent)

    tables.ledger.settle(intent.id, FileState.DROPPED)

    assert expiries(tables)["open"] == T0 + CHUNK_LIFE_SECONDS


def test_a_file_no_digest_lists_expires(tables: Tables) -> None:
    plain = make_destination("plain", digested_since=0.0)

    tables.ledger.intend(make_intent("t", f"a#{plain.name}", destination=plain))

    assert expiries(tables) == {"chunk": T0 + CHUNK_LIFE_SECONDS, "file": T0 + CHUNK_LIFE_SECONDS}


def test_claims_outlive_every_message_a_queue_keeps() -> None:
    assert CHUNK_LIFE_SECONDS > 14 * 86_400  # SQS's longest retention


def test_a_history_file_has_its_index_item_from_the_moment_it_is_begun(tables: Tables) -> None:
    tables.ledger.intend(make_intent("t", f"a#{HISTORY}", destination=PAST))

    (item,) = tables.history()
    assert item["pk"] == {"S": "123456789012#us-east-1"}
    assert item["sk"]["S"].startswith(f"{T0 * 1000:013d}#")
    assert item["expires"] == {"N": str(T0 + 90 * 86_400)}


def test_a_refused_intent_leaves_no_index_item(tables: Tables) -> None:
    tables.ledger.intend(make_intent("t", f"a#{HISTORY}", destination=PAST))

    with pytest.raises(StorageError):
        tables.ledger.intend(make_intent("u", f"a#{HISTORY}", destination=PAST))

    assert len(tables.history()) == 1


def test_a_table_that_is_not_there_is_a_storage_error_with_its_code(clients: Clients) -> None:
    ledger = DynamoLedger(clients("dynamodb"), "no-such-table")

    with pytest.raises(StorageError, match="query chain: ResourceNotFoundException") as caught:
        ledger.chains()

    assert caught.value.code == "ResourceNotFoundException"


class Throttled:
    """DynamoDB that takes only the first delete of a batch."""

    def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:
        ((table, requests),) = RequestItems.items()
        return {"UnprocessedItems": {table: requests[1:]}}


def test_files_that_were_not_closed_are_not_said_to_be() -> None:
    ledger = DynamoLedger(Throttled(), "ledger")

    with pytest.raises(StorageError, match="throttled"):
        ledger.close_files([make_intent("t").id, make_intent("u").id])
