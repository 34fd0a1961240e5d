"""The ledger in DynamoDB: files, chunks and digest chains.

* ``pk = open#<chain>``, ``sk = <creation time>#<token>``: a file that waits for a
  digest; ``pk = file#<day>``, ``sk = <creation time>#<token>#<chain>``: any other, which expires.
* ``pk = chunk#<id>``, ``sk = <destination>``: which file of that destination a chunk is in.
* ``pk = chain``, ``sk = <chain>``: a digest chain.
* ``pk = usage``: what was delivered, day by day (``opentrail.adapters.aws.usage``).

Chains are named ``<trail ARN>#<account>#<region>``. All reads are strongly
consistent.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from opentrail.adapters.aws import items
from opentrail.adapters.aws.failure import storage_errors
from opentrail.adapters.aws.items import Item
from opentrail.errors import ConflictError, StorageError
from opentrail.format.times import from_epoch, to_iso
from opentrail.model.digest import Chain, SealedDigest
from opentrail.model.log_file import FileRow, FileState
from opentrail.pipeline.deliver.ports import Intent

CHAIN = "chain"
MAX_READ = 100  # BatchGetItem, DynamoDB API reference
MAX_WRITE = 25  # BatchWriteItem
_ABSENT = "attribute_not_exists(pk)"


class DynamoLedger:
    """The ledger table, and the index items of history that are written with it."""

    def __init__(self, client: Any, table: str, *, history_table: str = "", history_seconds: int = 0) -> None:
        self._client = client
        self._table = table
        self._history_table = history_table
        self._history_seconds = history_seconds
        self._known_chains: set[str] = set()

    # Files and chunks

    def intend(self, intent: Intent) -> None:
        """Write a file's row, the claims on its chunks and its entries in the history table, all or nothing.

        Raises:
            ConflictError: a chunk belongs to another file.
            StorageError: the ledger did not answer; nothing is known.
        """
        if intent.destination.digested:
            self._ensure_chain(intent)
        created = int(intent.file.created_at)
        expires = None if intent.destination.digested else created + items.FILE_LIFE_SECONDS
        row = items.file_item(intent.id, FileState.PENDING, intent.file, expires=expires)
        writes = [self._put(row, ConditionExpression=_ABSENT)]
        writes += [self._claim(intent, claim, created) for claim in intent.claims]
        writes += [
            {"Put": {"TableName": self._history_table, "Item": item}} for item in self._entries(intent)
        ]
        with storage_errors(f"claim {len(intent.claims)} chunks for {intent.file.key}"):
            self._client.transact_write_items(TransactItems=writes)

    def _entries(self, intent: Intent) -> list[Item]:
        """What the history table gets to know of the file."""
        created = intent.file.created_at
        expires = int(created) + self._history_seconds
        if intent.segment is not None:
            return items.segment_items(intent.segment, created_at=created, expires=expires)
        if intent.data_counts is not None:
            return [items.data_item(intent.data_counts, created_at=created, expires=expires)]
        return []

    def owners(self, claims: Sequence[str]) -> Mapping[str, FileRow | None]:
        """The file each claim is in; ``None`` once a digest lists that file.

        Raises:
            StorageError: the ledger did not answer.
        """
        found = self._get([items.claim_key(claim) for claim in claims])
        files = {items.claim_of(item): item["file"]["S"] for item in found}
        rows = self._get([items.file_key(file) for file in sorted(set(files.values()))])
        known = {row.id: row for row in map(items.to_file_row, rows)}
        return {claim: known.get(file) for claim, file in files.items()}

    def settle(self, file_id: str, state: FileState) -> None:
        """Turn a pending file into a delivered or a dropped one.

        Raises:
            ConflictError: it is not pending.
            StorageError: the ledger did not answer.
        """
        change, values = (
            "SET #s = :new",
            {":new": {"S": str(state)}, ":pending": {"S": str(FileState.PENDING)}},
        )
        if state is FileState.DROPPED:  # nothing will list it: it may go when its chunks' claims do
            change, values = (
                f"{change}, expires = :expires",
                {**values, ":expires": items.file_expiry(file_id)},
            )
        with storage_errors(f"settle {file_id} as {state}"):
            self._client.update_item(
                TableName=self._table,
                Key=items.file_key(file_id),
                UpdateExpression=change,
                ConditionExpression="#s = :pending",
                ExpressionAttributeNames={"#s": "state"},
                ExpressionAttributeValues=values,
            )

    # Chains

    def chains(self) -> list[Chain]:
        """Every chain that was ever begun.

        Raises:
            StorageError: the ledger did not answer.
        """
        return [_to_chain(item) for item in self._query(CHAIN)]

    def save_chain(self, chain: Chain) -> Chain:
        """Write ``chain`` if nobody has since it was read; answer it with its new version.

        Raises:
            ConflictError: another run wrote first.
            StorageError: the ledger did not answer.
        """
        saved = msgspec.structs.replace(chain, version=chain.version + 1)
        with storage_errors(f"save chain {chain.id}"):
            self._client.put_item(
                TableName=self._table,
                Item=_chain_item(saved),
                ConditionExpression=f"version = :read OR ({_ABSENT} AND :read = :none)",
                ExpressionAttributeValues={":read": {"N": str(chain.version)}, ":none": {"N": "0"}},
            )
        return saved

    def open_files(self, chain_id: str, *, before: float, limit: int) -> list[FileRow]:
        """Files created before that epoch second that no digest lists, oldest first; dropped ones left out.

        Raises:
            StorageError: the ledger did not answer.
        """
        moment = from_epoch(before)
        stamp = f"{to_iso(moment)[:-1]}.{moment.microsecond // 1000:03d}Z"
        rows: list[FileRow] = []
        for item in self._query(f"open#{chain_id}", before=stamp):
            row = items.to_file_row(item)
            if row.state is not FileState.DROPPED:
                rows.append(row)
            if len(rows) == limit:
                break
        return rows

    def keep_usage(self, chain_id: str, sealed: SealedDigest) -> None:
        """Write down what the files of a digest count up to, under its name: again, the same items.

        Raises:
            StorageError: the ledger did not answer.
        """
        name = sealed.key.rpartition("/")[2]
        for day, usage in sealed.usage.items():
            with storage_errors(f"keep the usage of {day} in {name}"):
                self._client.put_item(
                    TableName=self._table, Item=items.usage_item(f"{day}#{chain_id}#{name}", usage)
                )

    def close_files(self, file_ids: Sequence[str]) -> None:
        """Forget files that a digest now lists; their chunks' claims outlive them, so repeats stay repeats.

        Raises:
            StorageError: the ledger did not answer.
        """
        for start in range(0, len(file_ids), MAX_WRITE):
            part = file_ids[start : start + MAX_WRITE]
            requests = [{"DeleteRequest": {"Key": items.file_key(file_id)}} for file_id in part]
            with storage_errors(f"close {len(part)} files"):
                answer = self._client.batch_write_item(RequestItems={self._table: requests})
            if answer.get("UnprocessedItems"):
                raise StorageError("close files: the table is throttled", "ThrottlingException")

    def _ensure_chain(self, intent: Intent) -> None:
        """Begin the chain of a place at its first file, so that the digest function finds it."""
        destination = intent.destination
        chain = Chain(
            trail_arn=destination.name,
            place=intent.place,
            bucket=destination.bucket,
            prefix=destination.prefix,
            organization_id=destination.organization_id,
            kms_key_arn=destination.kms_key_arn,
            started_at=_chain_start(intent),
        )
        if chain.id in self._known_chains:
            return
        if not self._get([items.key(CHAIN, chain.id)]):
            self._begin(chain)
        self._known_chains.add(chain.id)

    def _begin(self, chain: Chain) -> None:
        try:
            self.save_chain(chain)
        except ConflictError:
            return  # somebody else began it, which is all that was wanted

    def _claim(self, intent: Intent, claim: str, created: int) -> dict[str, Any]:
        item = {
            **items.claim_key(claim),
            "file": {"S": intent.id},
            "expires": {"N": str(created + items.CHUNK_LIFE_SECONDS)},
        }
        if claim not in intent.reclaimed:
            return self._put(item, ConditionExpression=_ABSENT)
        return self._put(
            item,
            ConditionExpression="#f = :dropped",
            ExpressionAttributeNames={"#f": "file"},
            ExpressionAttributeValues={":dropped": {"S": intent.reclaimed[claim]}},
        )

    def _put(self, item: Item, **condition: Any) -> dict[str, Any]:
        return {"Put": {"TableName": self._table, "Item": item, **condition}}

    def _get(self, keys: Sequence[Item]) -> list[Item]:
        found: list[Item] = []
        for start in range(0, len(keys), MAX_READ):
            wanted: dict[str, Any] = {
                self._table: {"Keys": keys[start : start + MAX_READ], "ConsistentRead": True}
            }
            while wanted:
                with storage_errors(f"read {len(keys)} items of {self._table}"):
                    answer = self._client.batch_get_item(RequestItems=wanted)
                found += answer["Responses"].get(self._table, [])
                wanted = answer.get("UnprocessedKeys", {})
        return found

    def _query(self, pk: str, *, before: str = "") -> Iterator[Item]:
        condition, values = "pk = :pk", {":pk": {"S": pk}}
        if before:
            condition, values = f"{condition} AND sk < :before", {**values, ":before": {"S": before}}
        start: dict[str, Any] = {}
        while True:
            with storage_errors(f"query {pk}"):
                answer = self._client.query(
                    TableName=self._table,
                    KeyConditionExpression=condition,
                    ExpressionAttributeValues=values,
                    ConsistentRead=True,
                    **start,
                )
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _chain_start(intent: Intent) -> float:
    """At home a chain starts with its trail; elsewhere with the first file, not with empty digests."""
    region, account = intent.destination.name.split(":")[3:5]
    home = (account, region) == intent.place
    return intent.destination.digested_since if home else intent.file.created_at


def _chain_item(chain: Chain) -> Item:
    return {
        **items.key(CHAIN, chain.id),
        "version": {"N": str(chain.version)},
        "body": {"B": zlib.compress(msgspec.msgpack.encode(chain))},
    }


def _to_chain(item: Item) -> Chain:
    return msgspec.msgpack.decode(zlib.decompress(item["body"]["B"]), type=Chain)
