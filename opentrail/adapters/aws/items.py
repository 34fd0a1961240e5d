"""Values <-> DynamoDB attributes, for the few shapes our tables hold."""

from __future__ import annotations

from typing import Any

import msgspec

from opentrail.errors import FormatError
from opentrail.format.times import from_iso
from opentrail.model.event import Place
from opentrail.model.history import DataCounts, Segment
from opentrail.model.log_file import FileRow, FileState, LogFile
from opentrail.model.usage import Reading, Usage

Item = dict[str, dict[str, Any]]

CHUNK_LIFE_SECONDS = 15 * 86_400  # a queue keeps a message 14 days, so no chunk comes back after that
FILE_LIFE_SECONDS = CHUNK_LIFE_SECONDS
USAGE = "usage"  # the partition of what was delivered
USAGE_LIFE_SECONDS = 800 * 86_400  # two years and some: this month beside that of the year before

# How far from their segment's creation events may be without setting it apart. CloudTrail delivers within
# minutes; a day and a half also holds a day's segments put together.
LATE_SECONDS = 36 * 3600
AHEAD_SECONDS = 15 * 60
LAST_MILLISECOND = 10**13 - 1  # the largest of thirteen digits, in the year 2286


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


def usage_item(sk: str, usage: Usage) -> Item:
    """What was delivered; ``sk`` is ``<day>#<trail ARN>#<account>#<region>#<digest>``."""
    body = msgspec.json.encode(usage).decode()
    return {**key(USAGE, sk), "usage": {"S": body}, "expires": usage_expiry(sk[:10])}


def usage_expiry(day: str) -> dict[str, str]:
    """When the usage of a day may go."""
    return {"N": str(int(from_iso(f"{day}T00:00:00Z").timestamp()) + USAGE_LIFE_SECONDS)}


def to_reading(item: Item) -> Reading:
    """Read it back."""
    day, destination, account, region, _ = item["sk"]["S"].split("#")
    usage = msgspec.json.decode(item["usage"]["S"], type=Usage)
    return Reading(day=day, destination=destination, place=Place(account, region), usage=usage)


def claim_key(claim: str) -> Item:
    """The key of the item that says which file of a destination a chunk is in."""
    chunk, _, destination = claim.partition("#")
    return key(f"chunk#{chunk}", destination)


def claim_of(item: Item) -> str:
    """The claim an item stands for."""
    return f"{item['pk']['S'].partition('#')[2]}#{item['sk']['S']}"


def segment_pk(place: Place, *, apart: bool = False) -> str:
    """The partition of a place's segments: those in no block, or once more those that stand apart."""
    return f"{place.account}#{place.region}{'#apart' if apart else ''}"


def block_pk(place: Place) -> str:
    """The partition of a place's blocks."""
    return f"{segment_pk(place)}#blocks"


def drawer_pk(place: Place, drawer: int) -> str:
    """The partition of one drawer of all blocks of a place."""
    return f"{segment_pk(place)}#drawer{drawer:02d}"


def bound_pk(place: Place) -> str:
    """The partition of what Insights counted in segments that are in blocks."""
    return f"{segment_pk(place)}#bound"


def segment_sk(created_at: float) -> str:
    """What the sort keys of segments created in that millisecond begin with."""
    return f"{min(int(created_at * 1000), LAST_MILLISECOND):013d}"


def segment_created(item: Item) -> float:
    """When a segment was created, in epoch seconds."""
    return int(item["sk"]["S"].partition("#")[0]) / 1000


def shelved_fields(item: Item) -> dict[str, Any]:
    """What ``Shelved`` has of a segment's item."""
    return {
        "id": item["sk"]["S"],
        "bucket": item["bucket"]["S"],
        "key": item["key"]["S"],
        "count": int(item["count"]["N"]),
        "oldest": item["oldest"]["S"],
        "newest": item["newest"]["S"],
        "created_at": segment_created(item),
        "expires": int(item["expires"]["N"]),
    }


def segment_item(segment: Segment, *, created_at: float, expires: int) -> Item:
    """The index item of one history file, newest last within its account and Region."""
    item = {
        **key(segment_pk(segment.place), f"{segment_sk(created_at)}#{segment.key[-24:-8]}"),
        "bucket": {"S": segment.bucket},
        "key": {"S": segment.key},
        "count": {"N": str(segment.count)},
        "oldest": {"S": segment.oldest},
        "newest": {"S": segment.newest},
        "hashes": {"B": segment.hashes},
        "counts": {"B": segment.counts},
        "callers": {"B": segment.callers},
        "expires": {"N": str(expires)},
    }
    return item | {"apart": {"BOOL": True}} if _is_apart(segment, created_at) else item


def segment_items(segment: Segment, *, created_at: float, expires: int) -> list[Item]:
    """Everything the index holds of one history file.

    A segment with an event much older than itself, or dated ahead, has a second item
    apart, without counts: so all others are found by when they were created.
    """
    item = segment_item(segment, created_at=created_at, expires=expires)
    if "apart" not in item:
        return [item]
    twin = {name: value for name, value in item.items() if name not in ("counts", "callers", "apart")}
    return [item, twin | {"pk": {"S": segment_pk(segment.place, apart=True)}}]


def data_pk(place: Place, trail: str) -> str:
    """The partition of the counts of a trail's data events in a place."""
    return f"data#{segment_pk(place)}#{trail}"


def data_item(counts: DataCounts, *, created_at: float, expires: int) -> Item:
    """The counts of the data events in one file."""
    return {
        **key(data_pk(counts.place, counts.trail), f"{segment_sk(created_at)}#{counts.key[-24:-8]}"),
        "counts": {"B": counts.counts},
        "callers": {"B": counts.callers},
        "expires": {"N": str(expires)},
    }


def _is_apart(segment: Segment, created_at: float) -> bool:
    try:
        oldest, newest = from_iso(segment.oldest).timestamp(), from_iso(segment.newest).timestamp()
    except FormatError:
        return True  # a 31st of February: found whatever the range
    return oldest < created_at - LATE_SECONDS or newest > created_at + AHEAD_SECONDS
