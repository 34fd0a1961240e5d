"""What delivery needs from outside: a ledger and an object store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from opentrail.model.event import Place
from opentrail.model.history import DataCounts, Segment
from opentrail.model.log_file import Destination, FileRow, FileState, LogFile


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """The decision to store ``file``, written before the object.

    ``claims`` name the chunks in it, each for this destination only;
    ``reclaimed`` maps those that belonged to a dropped file to its id.
    """

    id: str
    destination: Destination
    place: Place
    file: LogFile
    claims: tuple[str, ...]
    reclaimed: Mapping[str, str]
    segment: Segment | None
    data_counts: DataCounts | None = None


class Ledger(Protocol):
    """Who wrote what. Maps to ``dynamodb:GetItem``, ``PutItem`` and ``UpdateItem`` on the ledger table."""

    def intend(self, intent: Intent) -> None:
        """Write the file's row and claim its chunks, all or nothing.

        Raises:
            ConflictError: a chunk belongs to another file.
            StorageError: the ledger did not answer; nothing is known.
        """

    def owners(self, claims: Sequence[str]) -> Mapping[str, FileRow | None]:
        """The file each claim belongs to; ``None`` when a digest lists it already.

        Claims nobody made are absent.
        """

    def settle(self, file_id: str, state: FileState) -> None:
        """Turn a pending file into a delivered or a dropped one.

        Raises:
            ConflictError: it is not pending (or not there).
        """


class LogStore(Protocol):
    """Where log files go. Maps to ``s3:PutObject`` and ``s3:GetObject``."""

    def put(
        self,
        bucket: str,
        key: str,
        body: bytes,
        *,
        kms_key_arn: str,
        trail_arn: str,
        metadata: Mapping[str, str],
    ) -> None:
        """Store one gzip object, or raise ``StorageError``."""

    def read(self, bucket: str, key: str) -> bytes | None:
        """The object's bytes, ``None`` when it is not there."""
