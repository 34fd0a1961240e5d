"""How much of a real record a new one has: key paths with their JSON types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


def json_type(value: Any) -> str:
    """``null``, ``boolean``, ``number``, ``string``, ``array``, ``object``."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    kinds: dict[type, str] = {str: "string", list: "array", dict: "object"}
    return kinds[type(value)]


def typed_paths(value: Any) -> set[tuple[str, str]]:
    """Every path in ``value`` with its type; list positions are collapsed, the root is ``""``."""
    return set(_walk("", value))


def _walk(path: str, value: Any) -> Iterator[tuple[str, str]]:
    yield path, json_type(value)
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _walk(f"{path}.{name}", item)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(f"{path}[]", item)


@dataclass(slots=True)
class Score:
    """Counts of typed paths: in both, in the real record, in ours."""

    both: int = 0
    real: int = 0
    ours: int = 0
    records: int = 0

    def add(self, real: Any, ours: Any) -> None:
        """Count one field of one record."""
        real_paths, our_paths = typed_paths(real), typed_paths(ours)
        self.both += len(real_paths & our_paths)
        self.real += len(real_paths)
        self.ours += len(our_paths)
        self.records += 1

    def merge(self, other: Score) -> None:
        """Add another score's counts."""
        self.both += other.both
        self.real += other.real
        self.ours += other.ours
        self.records += other.records

    @property
    def recall(self) -> float:
        """Share of the real record's paths that ours has."""
        return self.both / self.real if self.real else 1.0

    @property
    def precision(self) -> float:
        """Share of our paths that the real record has."""
        return self.both / self.ours if self.ours else 1.0


def differences(real: Any, ours: Any) -> tuple[list[str], list[str]]:
    """``(missing, extra)`` typed paths, sorted, for a person."""
    real_paths, our_paths = typed_paths(real), typed_paths(ours)
    return (
        [f"{path}:{kind}" for path, kind in sorted(real_paths - our_paths)],
        [f"{path}:{kind}" for path, kind in sorted(our_paths - real_paths)],
    )
