"""Constraints of the model: required members, lengths, ranges, patterns, enums.

botocore checks none of the patterns, maxima and enums on the client's side, so
such requests do arrive. The wording follows what AWS services answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from botocore.model import Shape

MAX_SHOWN_CHARACTERS = 256  # of an offending value, in a message

_MEASURES: dict[str, tuple[str, Callable[[Any], int]]] = {
    "string": ("length", len),
    "list": ("length", len),
    "map": ("length", len),
    "blob": ("length", len),
    "integer": ("value", int),
    "long": ("value", int),
}


class Path(NamedTuple):
    """Where a value stands in the request: ``advancedEventSelectors.1.member.name``."""

    steps: tuple[str, ...] = ()

    def __truediv__(self, name: str) -> Path:
        """The member ``name`` of this value."""
        return Path((*self.steps, name))

    def member(self, number: int) -> Path:
        """Element ``number`` of this list, counted from 1 as AWS does."""
        return Path((*self.steps, str(number), "member"))

    def __str__(self) -> str:
        return ".".join(step[:1].lower() + step[1:] for step in self.steps)


class Violation(NamedTuple):
    """One constraint that a value breaks."""

    parameter: str  # the top-level member it is in
    constraint: str  # required, length, value, pattern, enum
    nested: bool  # it is something in that member, not the member itself
    text: str


class Violations(list[Violation]):
    """What is wrong with one request, all of it."""

    def check(self, shape: Shape, value: Any, path: Path) -> None:
        """Note every constraint of ``shape`` itself that ``value`` breaks (not those of its members)."""
        for constraint, demand, where in _broken(shape, value, path):
            shown = "null" if constraint == "required" else f"'{_show(value)}'"
            text = f"Value {shown} at '{where}' failed to satisfy constraint: Member must {demand}"
            parameter, *inner = where.steps or ("",)
            self.append(Violation(parameter, constraint, bool(inner), text))

    def __str__(self) -> str:
        count = f"{len(self)} validation error{'s' if len(self) > 1 else ''} detected: "
        return count + "; ".join(v.text for v in self)


def _show(value: Any) -> str:
    text = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "..."


def _broken(shape: Any, value: Any, path: Path) -> Iterator[tuple[str, str, Path]]:
    if shape.type_name == "structure":
        missing = (name for name in shape.required_members if name not in value)
        yield from (("required", "not be null", path / name) for name in missing)
        return
    yield from ((constraint, demand, path) for constraint, demand in _outside(shape, value))
    if shape.type_name == "string":
        yield from ((constraint, demand, path) for constraint, demand in _malformed(shape, value))


def _outside(shape: Any, value: Any) -> Iterator[tuple[str, str]]:
    if shape.type_name not in _MEASURES:
        return
    name, measure = _MEASURES[shape.type_name]
    size, least, most = measure(value), shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield name, f"have {name} greater than or equal to {least}"
    if most is not None and size > most:
        yield name, f"have {name} less than or equal to {most}"


def _malformed(shape: Any, value: str) -> Iterator[tuple[str, str]]:
    pattern = shape.metadata.get("pattern")
    if pattern is not None and not _compiled(pattern).fullmatch(value):
        yield "pattern", f"satisfy regular expression pattern: {pattern}"
    if shape.enum and value not in shape.enum:
        yield "enum", f"satisfy enum value set: [{', '.join(shape.enum)}]"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)  # the patterns are Java's, where \w and \d are ASCII
