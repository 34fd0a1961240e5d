"""Values <-> DynamoDB attributes, for the few shapes our tables hold."""

from __future__ import annotations

from typing import Any

import msgspec

from opentrail.format.times import from_iso
from opentrail.model.history import Segment
from opentrail.model.log_file import FileRow, FileState, LogFile

Item = dict[str, dict[str, Any]]

CHUNK_LIFE_SECONDS = 15 * 86_400  # a queue keeps a message 14 days, so no chunk comes back after that
FILE_LIFE_SECONDS = CHUNK_LIFE_SECONDS


def key(pk: str, sk: str) -> Item:
    """The primary key, the same two names in every table."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def file_key(file_id: str) -> Item:
    """The key of a file's row: its id is ``<pk>|<sk>``."""
    pk, _, sk = file_id.rpartition("|")
    return key(pk, sk)


def file_expiry(file_id: str) -> dict[str, str]:
    """When a file's row may go, from the creation time in its id."""
    stamp = file_id.rpartition("|")[2].partition("#")[0]
    created = from_iso(f"{stamp[:19]}Z").timestamp()
    return {"N": str(int(created) + FILE_LIFE_SECONDS)}


def file_item(file_id: str, state: FileState, file: LogFile, *, expires: int | None) -> Item:
    """A file's row. Files that a digest must still list never expire."""
    body = {"state": {"S": str(state)}, "file": {"S": msgspec.json.encode(file).decode()}}
    return {**file_key(file_id), **body, **({"expires": {"N": str(expires)}} if expires else {})}


def to_file_row(item: Item) -> FileRow:
    """Read a file's row back."""
    return FileRow(
        id=f"{item['pk']['S']}|{item['sk']['S']}",
        state=FileState(item["state"]["S"]),
        file=msgspec.json.decode(item["file"]["S"], type=LogFile),
    )


def claim_key(claim: str) -> Item:
    """The key of the item that says which file of a destination a chunk is in."""
    chunk, _, destination = claim.partition("#")
    return key(f"chunk#{chunk}", destination)


def claim_of(item: Item) -> str:
    """The claim an item stands for."""
    return f"{item['pk']['S'].partition('#')[2]}#{item['sk']['S']}"


def segment_item(segment: Segment, *, created_at: float, expires: int) -> Item:
    """The index item of one history file, newest last within its account and Region."""
    return {
        **key(
            f"{segment.place.account}#{segment.place.region}",
            f"{int(created_at * 1000):013d}#{segment.key[-24:-8]}",
        ),
        "bucket": {"S": segment.bucket},
        "key": {"S": segment.key},
        "count": {"N": str(segment.count)},
        "oldest": {"S": segment.oldest},
        "newest": {"S": segment.newest},
        "hashes": {"B": segment.hashes},
        "counts": {"B": segment.counts},
        "expires": {"N": str(expires)},
    }
