"""What looking events up needs from outside: the index of segments, and their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from opentrail.model.event import Place


class IndexEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One segment, as the index lists it. Times are eventTimes, ``2026-01-10T04:20:31Z``.

    ``hashes`` may be empty: then nothing is known of what is in the segment, or what was
    looked for is known to be. ``horizon`` is the index's promise: no entry that is listed
    after this one has an event later than that.
    """

    bucket: str
    key: str
    count: int
    oldest: str
    newest: str
    hashes: bytes
    horizon: str


class SegmentIndex(Protocol):
    """The index of event history. Maps to ``dynamodb:Query`` and ``BatchGetItem`` on the history table."""

    def entries(
        self, place: Place, *, start: str, end: str, holding: int | None = None
    ) -> Iterator[IndexEntry]:
        """Every segment of ``place`` that may hold an event from ``start`` to ``end``, about newest first.

        With ``holding``, a value's hash, those known to lack it may be left out. Others than
        were asked for may be among them. Reads on only as far as it is asked.

        Raises:
            StorageError: the index did not answer.
        """


class SegmentFiles(Protocol):
    """The files of event history. Maps to ``s3:GetObject`` on the history bucket."""

    def read_all(self, entries: Sequence[IndexEntry]) -> list[bytes | None]:
        """Each file's bytes, ``None`` for one that is not (yet, or no longer) there; a few at a time.

        Raises:
            StorageError: a file could not be read.
        """
