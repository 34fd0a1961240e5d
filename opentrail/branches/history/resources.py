"""A record's parameters and answer -> the ``Resources`` LookupEvents shows and finds it by.

Which members name a resource of which type is data: ``data/resources.toml``,
whose head says where it comes from. The record's own ``resources`` play no part,
as they play none in CloudTrail's answers. OpenTrail's own records have neither
parameters nor answer; their details name the resource.
"""

from __future__ import annotations

import tomllib
from collections.abc import Container, Iterator, Sequence
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


class OwnDetails(msgspec.Struct, frozen=True):
    """``serviceEventDetails`` of OpenTrail's own records, as far as they name a resource."""

    type: str = msgspec.field(name="resourceType", default="")
    name: str = msgspec.field(name="resourceName", default="")
    arn: str = msgspec.field(name="resource", default="")


class Step(NamedTuple):
    """One place of a name: below a member (which the plan is asked for), along ``rest``."""

    order: int  # of the table
    type: str
    prefix: str
    rest: tuple[str, ...]


class Plan(NamedTuple):
    """What to look for on one side of a call: member -> steps, at the top and at any depth."""

    top: dict[str, list[Step]]
    anywhere: dict[str, list[Step]]


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
    asked, answered = plans_for(source, name)
    try:
        found = [*_found(asked, request), *_found(answered, response)]
    except RecursionError:
        return ()  # parameters that deep name nothing
    return tuple(dict.fromkeys(named for _, named in sorted(found, key=_order)))


def own_resources_of(details: bytes | msgspec.Raw) -> tuple[Named, ...]:
    """The resource one of OpenTrail's own records is about, by its name and by its ARN.

    Args:
        details: JSON of serviceEventDetails; ``b"null"`` when there are none.
    """
    try:
        found = msgspec.json.decode(details, type=OwnDetails)
    except (msgspec.DecodeError, RecursionError):
        return ()
    return tuple(Named(found.type, text) for text in dict.fromkeys((found.name, found.arn)) if text)


def _order(found: tuple[int, Named]) -> int:
    return found[0]


def _found(plan: Plan, raw: bytes | msgspec.Raw) -> Iterator[tuple[int, Named]]:
    """What one side names: the record's few members are looked up, not the table's many."""
    if not plan.top and not plan.anywhere:
        return
    value = _decode(raw)
    if plan.top and isinstance(value, dict):
        for member in plan.top.keys() & value.keys():
            yield from _named(plan.top[member], value[member])
    if plan.anywhere and value is not None:
        members: dict[str, list[Any]] = {}
        _gather(value, plan.anywhere, members)
        for member, values in members.items():
            yield from _named(plan.anywhere[member], values)


def _named(steps: Sequence[Step], value: Any) -> Iterator[tuple[int, Named]]:
    for order, kind, prefix, rest in steps:
        for text in _texts_at(value, rest):
            if text.startswith(prefix):
                yield order, Named(kind, text)


@lru_cache(maxsize=_KNOWN_EVENTS)
def plans_for(source: str, name: str) -> tuple[Plan, Plan]:
    """What to look for in the request and in the response of events of this source and name."""
    plans = {"request": Plan({}, {}), "response": Plan({}, {})}
    entry = _table().get(source, {"rules": ()})
    base = name.partition(_VERSION)[0]
    excepted = _matches(base, entry.get("except", ()))
    order = 0
    for rule in entry["rules"]:
        if _matches(base, rule.get("events", ("*",))) and (rule.get("always", False) or not excepted):
            for path in rule["paths"]:
                side, *steps = path.replace(_ELEMENTS, f".{_ELEMENTS}").split(".")
                anywhere = steps[0] == ANY_DEPTH
                member, *rest = steps[1:] if anywhere else steps
                places = plans[side].anywhere if anywhere else plans[side].top
                step = Step(order, rule["type"], rule.get("prefix", ""), tuple(rest))
                places.setdefault(member, []).append(step)
                order += 1
    return plans["request"], plans["response"]


@cache
def _table() -> dict[str, Any]:
    text = (files("opentrail.branches.history") / "data" / "resources.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


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


def _gather(value: Any, wanted: Container[str], members: dict[str, list[Any]]) -> None:
    """The wanted members of every object inside ``value``, by name."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in wanted:
                members.setdefault(name, []).append(inner)
            if isinstance(inner, dict | list):
                _gather(inner, wanted, members)
    elif isinstance(value, list):
        for element in value:
            _gather(element, wanted, members)


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
