"""What the digest stage needs from outside: chains and files from the ledger, a store, a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from opentrail.model.digest import Chain, Head, SealedDigest
from opentrail.model.log_file import FileRow, FileState


class ChainLedger(Protocol):
    """Chains and their undigested files. Maps to the ledger table's item operations and ``Query``."""

    def chains(self) -> Sequence[Chain]:
        """Every chain that was ever begun."""

    def save_chain(self, chain: Chain) -> Chain:
        """Write ``chain`` if its version is still the stored one; answer it with its new version.

        Raises:
            ConflictError: another run wrote first.
        """

    def open_files(self, chain_id: str, *, before: float, limit: int) -> Sequence[FileRow]:
        """Files created before that epoch second, oldest first, dropped ones left out."""

    def settle(self, file_id: str, state: FileState) -> None:
        """Turn a pending file into a delivered or a dropped one.

        Raises:
            ConflictError: it is not pending any more.
        """

    def keep_usage(self, chain_id: str, sealed: SealedDigest) -> None:
        """Write down what the files of a digest count up to. Doing it again changes nothing."""

    def close_files(self, file_ids: Sequence[str]) -> None:
        """Take files that a digest now lists off the open ones. Doing it again changes nothing."""


class DigestStore(Protocol):
    """Where digests go. Maps to ``s3:PutObject`` and ``s3:GetObject``."""

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


class Anchor(Protocol):
    """Where heads are written down. Maps to ``GetItem`` and ``PutItem`` on a table of its own."""

    def check(self, head: Head) -> None:
        """Refuse, with ``StorageError``, what ``write`` would refuse."""

    def write(self, head: Head) -> None:
        """Write ``head`` down. Doing it again changes nothing.

        Raises:
            StorageError: there was no answer, or another digest of that time, or a later
                one, is written down already: the anchor never goes back.
        """


class Signer(Protocol):
    """A signing key. Maps to ``kms:Sign``, and to ``kms:GetPublicKey`` before the first rotation."""

    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""

    def sign(self, message: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-256 over ``message``."""


class Keyring(Protocol):
    """The signing keys, one after another. Maps to ``Query`` on their part of the ledger table."""

    def signer_for(self, end: datetime) -> Signer:
        """The key for a digest that ends then. Raises ``StorageError``."""
