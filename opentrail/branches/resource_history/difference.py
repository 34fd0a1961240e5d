"""Two configurations -> what differs, each by its path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

ABSENT = object()  # a member that is not there, which is not the same as null


class Difference(NamedTuple):
    """One value that changed. ``before`` or ``after`` is ``ABSENT`` where it was or is not there."""

    path: str  # "configuration.versioning.status"; "[]" stands for an element of a list
    before: Any
    after: Any


def differences(before: Any, after: Any) -> list[Difference]:
    """What changed between two JSON values, in the order of their paths.

    Lists are compared as collections: Config gives their elements in no fixed order, so an
    element that moved is no change. Text that is JSON itself, as policies are, is read.
    """
    return sorted(_compare("", before, after), key=lambda difference: difference.path)


def _compare(path: str, before: Any, after: Any) -> Iterator[Difference]:
    before, after = _read(before), _read(after)
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before.keys() | after.keys():
            inner = f"{path}.{name}" if path else name
            yield from _compare(inner, before.get(name, ABSENT), after.get(name, ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _compare_lists(f"{path}[]", before, after)
    elif before != after:
        yield Difference(path, before, after)


def _compare_lists(path: str, before: list[Any], after: list[Any]) -> Iterator[Difference]:
    gone, come = _without(before, after), _without(after, before)
    if len(gone) == len(come) == 1:
        yield from _compare(path, gone[0], come[0])
        return
    yield from (Difference(path, element, ABSENT) for element in gone)
    yield from (Difference(path, ABSENT, element) for element in come)


def _without(elements: list[Any], others: list[Any]) -> list[Any]:
    left = list(others)
    kept = []
    for element in elements:
        if element in left:
            left.remove(element)
        else:
            kept.append(element)
    return kept


def _read(value: Any) -> Any:
    """What text holds that is JSON of something else than a number; Config encodes some of it twice."""
    while isinstance(value, str) and value.lstrip()[:1] in ("{", "[", '"'):
        try:
            value = json.loads(value)
        except ValueError:
            return value  # it only looked like JSON
    return value
