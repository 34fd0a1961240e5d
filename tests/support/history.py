"""Event history in memory: segments as delivery writes them, and a count of what is read of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from opentrail.branches.history import IndexEntry, build_segment
from opentrail.errors import StorageError
from opentrail.format.keys import FOLDERS, LOGS, log_key
from opentrail.format.log_file import build_log_file
from opentrail.model.event import Place
from opentrail.model.log_file import LogFile
from tests.support.records import ACCOUNT, REGION, to_bytes

PLACE = Place(ACCOUNT, REGION)
_BUCKET = "past"


class FakeHistory:
    """The index and the files, both; ``reads`` counts files and ``listed`` entries."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.reads = 0
        self.listed = 0
        self._entries: dict[Place, list[IndexEntry]] = {}
        self._tokens = itertools.count()

    def add(self, *records: dict[str, Any], place: Place = PLACE) -> IndexEntry:
        """One segment with these records, newer than all before it."""
        times = [record["eventTime"] for record in records]
        return self.add_lines([to_bytes(record) for record in records], times, place)

    def add_lines(self, lines: Sequence[bytes], times: Sequence[str], place: Place = PLACE) -> IndexEntry:
        """The same of records in bytes."""
        category = "Insight" if b'"eventCategory":"Insight"' in lines[0] else "Management"
        key = log_key(
            prefix="history",
            organization="",
            place=place,
            folder=FOLDERS.get(category, LOGS),
            delivered=datetime(2026, 1, 10, tzinfo=UTC),
            token=f"{next(self._tokens):016d}",
        )
        piece = b"\n".join(lines)
        sha256, self.files[key] = build_log_file([piece], quick=True)
        file = LogFile(
            bucket=_BUCKET,
            key=key,
            sha256=sha256,
            count=len(lines),
            oldest=min(times),
            newest=max(times),
            created_at=0.0,
        )
        segment = build_segment(place, file, [piece])
        entry = IndexEntry(
            bucket=_BUCKET,
            key=key,
            count=len(lines),
            oldest=file.oldest,
            newest=file.newest,
            hashes=segment.hashes,
            horizon="~",
        )
        self._entries.setdefault(place, []).append(entry)
        return entry

    def entries(
        self, place: Place, *, start: str, end: str, holding: int | None = None
    ) -> Iterator[IndexEntry]:
        """Newest first; the horizon is the newest event of those that are left."""
        left = self._entries.get(place, [])[::-1]
        older = itertools.accumulate((entry.newest for entry in reversed(left)), max, initial="")
        for entry, horizon in zip(left, list(older)[-2::-1], strict=True):
            self.listed += 1
            yield IndexEntry(**{**_fields(entry), "horizon": horizon})

    def read_all(self, entries: Sequence[IndexEntry]) -> list[bytes | None]:
        """The files' bytes."""
        self.reads += len(entries)
        return [self.files.get(entry.key) for entry in entries]


class BrokenHistory(FakeHistory):
    """An index that does not answer."""

    def entries(
        self, place: Place, *, start: str, end: str, holding: int | None = None
    ) -> Iterator[IndexEntry]:
        """Never anything."""
        raise StorageError("query history: no answer")


def _fields(entry: IndexEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in entry.__struct_fields__}


def ids(events: Iterable[Any]) -> list[str]:
    """The eventIDs of what was found, in order."""
    return [event.event_id for event in events]
