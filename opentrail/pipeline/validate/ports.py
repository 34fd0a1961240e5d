"""What a verifier needs from outside: a bucket to read, public keys to check against."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from opentrail.format.digest_file import ListedFile
from opentrail.model.report import Finding
from opentrail.pipeline.validate.stored import PublicKey, StoredObject


class Archive(Protocol):
    """The buckets of a trail. Maps to ``s3:ListBucket`` and ``s3:GetObject``."""

    def keys_under(self, bucket: str, prefix: str) -> Iterator[str]:
        """Every key under ``prefix``, in order. Raises ``StorageError``."""

    def fetch_all(self, places: Sequence[tuple[str, str]]) -> Iterable[StoredObject]:
        """The objects at these (bucket, key), in their order. Raises ``StorageError``."""

    def judge_logs(self, files: Sequence[ListedFile], on_judged: Callable[[int], None]) -> Iterable[Finding]:
        """What is wrong with these log files; ``on_judged`` hears how many more are done.

        Raises:
            StorageError: one could not be read, so nothing is proven.
        """


class KeySource(Protocol):
    """Public keys. Maps to ``cloudtrail:ListPublicKeys``, or to a file of them."""

    def public_keys(self, start: datetime, end: datetime) -> Mapping[str, PublicKey]:
        """Every key that was valid at some time in between, by fingerprint. Raises ``StorageError``."""
