"""A record's parameters and answer -> the ``Resources`` LookupEvents shows and finds it by.

Which members name a resource of which type is data: ``data/resources.toml``,
whose head says where it comes from. The record's own ``resources`` play no part,
as they play none in CloudTrail's answers.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import msgspec

# Event names are few; the bound keeps hostile records from filling memory.
_KNOWN_EVENTS = 4096
_VERSION = "201"  # how Lambda's and CloudFront's event names end: CreateFunction20150331v2
ANY_DEPTH = "**"
_ELEMENTS = "[]"


class Named(NamedTuple):
    """One element of ``Resources``."""

    type: str
    name: str


class Path(NamedTuple):
    """Where a name is: on one side, in its member ``first`` (at the top or anywhere), along ``rest``."""

    side: str  # "request", "response"
    anywhere: bool
    first: str
    rest: tuple[str, ...]


class Rule(NamedTuple):
    """Where the names of one type of resource are."""

    type: str
    paths: tuple[Path, ...]
    prefix: str


def resources_of(
    source: str, name: str, request: bytes | msgspec.Raw, response: bytes | msgspec.Raw
) -> tuple[Named, ...]:
    """The resources of one event, each once, in the table's order.

    Args:
        source: eventSource.
        name: eventName.
        request: JSON of requestParameters; ``b"null"`` when there are none.
        response: JSON of responseElements, likewise.
    """
    rules = rules_for(source, name)
    if not rules:
        return ()
    sides = {"request": _Side(request), "response": _Side(response)}
    try:
        return tuple(dict.fromkeys(_found(rules, sides)))
    except RecursionError:
        return ()  # parameters that deep name nothing


def _found(rules: Sequence[Rule], sides: Mapping[str, _Side]) -> Iterator[Named]:
    for rule in rules:
        for side, anywhere, first, rest in rule.paths:
            value = (sides[side].members if anywhere else sides[side].top).get(first)
            if value is None:  # as most paths end
                continue
            for text in _texts_at(value, rest):
                if text.startswith(rule.prefix):
                    yield Named(rule.type, text)


@lru_cache(maxsize=_KNOWN_EVENTS)
def rules_for(source: str, name: str) -> tuple[Rule, ...]:
    """The rules that apply to events of this source and name."""
    entry = _table().get(source)
    if entry is None:
        return ()
    base = name.partition(_VERSION)[0]
    excepted = _matches(base, entry.get("except", ()))
    return tuple(
        Rule(rule["type"], tuple(_parse(path) for path in rule["paths"]), rule.get("prefix", ""))
        for rule in entry["rules"]
        if _matches(base, rule.get("events", ("*",))) and (rule.get("always", False) or not excepted)
    )


@cache
def _table() -> dict[str, Any]:
    text = (files("opentrail.branches.history") / "data" / "resources.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _parse(path: str) -> Path:
    side, *steps = path.replace(_ELEMENTS, f".{_ELEMENTS}").split(".")
    anywhere = steps[0] == ANY_DEPTH
    first, *rest = steps[1:] if anywhere else steps
    return Path(side, anywhere, first, tuple(rest))


class _Side:
    """One side of a call, its request or its response. Walked at most once, however many paths ask."""

    def __init__(self, raw: bytes | msgspec.Raw) -> None:
        self._value = _decode(raw)
        self.top: dict[str, Any] = self._value if isinstance(self._value, dict) else {}
        self._members: dict[str, list[Any]] | None = None

    @property
    def members(self) -> dict[str, list[Any]]:
        """Every member of every object inside, by its name."""
        if self._members is None:
            self._members = {}
            _gather(self._value, self._members)
        return self._members


def _decode(raw: bytes | msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None  # the record is kept whatever its parameters look like; they name nothing then


def _texts_at(value: Any, path: Sequence[str]) -> Iterator[str]:
    if not path:
        yield from _texts(value)
    elif path[0] == _ELEMENTS:
        for element in value if isinstance(value, list) else ():
            yield from _texts_at(element, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from _texts_at(value[path[0]], path[1:])


def _gather(value: Any, members: dict[str, list[Any]]) -> None:
    """Every member of every object inside ``value``, by its name."""
    if isinstance(value, dict):
        for name, inner in value.items():
            members.setdefault(name, []).append(inner)
            if isinstance(inner, dict | list):
                _gather(inner, members)
    elif isinstance(value, list):
        for element in value:
            _gather(element, members)


def _texts(value: Any) -> Iterator[str]:
    """The names a value holds: itself, a list of them, or EC2's ``{"tag": 1, "content": ...}`` and items."""
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, list):
        for element in value:
            yield from _texts(element)
    elif isinstance(value, dict):
        for key in ("content", "item", "items"):
            yield from _texts(value.get(key))
