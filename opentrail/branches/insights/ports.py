"""What the evaluator needs of the world."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from opentrail.branches.insights.count import Counted
from opentrail.branches.insights.series import Scope


class Kept(NamedTuple):
    """Bytes and the version a conditional write must name; 0 when there are none yet."""

    body: bytes
    version: int


class CountSource(Protocol):
    """The counts in history's index items. Maps to ``dynamodb:Query``."""

    def counts(self, scope: Scope, *, created_from: float, created_to: float) -> Counted:
        """The sum of all counts in segments created between two epoch seconds. Raises ``StorageError``."""

    def callers(self, scope: Scope, *, created_from: float, created_to: float) -> Iterator[bytes]:
        """Who called, of each such segment, as its index item has it. Raises ``StorageError``."""

    def oldest(self, scope: Scope) -> float | None:
        """When the oldest segment was created, epoch seconds; None without any. Raises ``StorageError``."""


class Memory(Protocol):
    """What is kept between runs. Maps to ``dynamodb:Query`` and ``dynamodb:PutItem``."""

    def read(self, scope: Scope, names: Iterable[str]) -> Sequence[Kept]:
        """What was written under each name, in that order. Raises ``StorageError``."""

    def write(self, scope: Scope, name: str, body: bytes, *, version: int) -> int:
        """Write over the version that was read; answer the new one.

        Raises:
            ConflictError: somebody else wrote first.
            StorageError: the store did not answer.
        """
