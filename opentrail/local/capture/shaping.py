"""Per-operation rules on top of the spelling: omit, hide, defaults, rename.

A rule comes from ``requests.toml`` or ``responses.toml``; the row of the operation
and the row of its whole service (``service.*``) are merged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from opentrail.local.capture.spelling import HIDDEN
from opentrail.local.capture.tables import table

BRACES = re.compile(r"\{(\w+)(#?)\}")
NOTHING: Mapping[str, Any] = MappingProxyType({})

Change = Callable[[dict[str, Any], str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The merged rules of one operation, one direction; the tables' headers say what each does."""

    omit: tuple[str, ...] = ()
    omit_empty: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    strings: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    fill: tuple[Mapping[str, Any], ...] = ()
    defaults: dict[str, Any] = field(default_factory=dict)
    rename: dict[str, str] = field(default_factory=dict)
    only_with: dict[str, list[str]] = field(default_factory=dict)
    omit_equal: dict[str, Any] = field(default_factory=dict)
    defaults_with: dict[str, dict[str, Any]] = field(default_factory=dict)
    echo: dict[str, str] = field(default_factory=dict)
    text: dict[str, str] = field(default_factory=dict)
    keep: bool = False
    null: bool = False
    unwrap: bool = False
    key: bool = False

    def apply(
        self, spelled: dict[str, Any], asked: Mapping[str, Any] = NOTHING, place: Mapping[str, str] = NOTHING
    ) -> dict[str, Any]:
        """Change ``spelled`` in place and return it, or what stands in its place.

        Args:
            spelled: request parameters or response elements in CloudTrail's names.
            asked: for a response, the API parameters of its request.
            place: what stands for ``{region}`` and ``{account}`` in defaults; any other
                name in braces is a parameter of ``asked``.
        """
        spelled = self._members(spelled, asked)
        for path, change in self._changes():
            _at(spelled, path.split("."), change)
        for path, parameter in self.echo.items():
            if asked.get(parameter):
                _put(spelled, path.split("."), asked[parameter])
        context = {**asked, **place}
        _fill(spelled, self.defaults, context)
        for parameter, members in self.defaults_with.items():
            if asked.get(parameter):
                _fill(spelled, members, context)
        for row in self.fill:
            _each(spelled, row["at"].split("."), row["members"], context)
        return spelled

    def _members(self, spelled: dict[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
        if self.unwrap and len(spelled) == 1 and isinstance(inner := next(iter(spelled.values())), dict):
            spelled = inner
        for old, new in self.rename.items():
            if old in spelled:
                spelled[new] = spelled.pop(old)
        if self.only:
            spelled = {name: spelled[name] for name in self.only if name in spelled}
        for name, reasons in self.only_with.items():
            if name in spelled and not any(_api_name(reason) in asked for reason in reasons):
                del spelled[name]
        return spelled

    def _changes(self) -> Iterator[tuple[str, Change]]:
        for paths, change in (
            (self.omit, _drop),
            (self.omit_empty, _drop_empty),
            (self.hide, _hide),
            (self.strings, _to_string),
            (self.empty, _to_empty),
        ):
            for path in paths:
                yield path, change
        for path, text in self.text.items():
            yield path, partial(_replace, text)
        for path, value in self.omit_equal.items():
            yield path, partial(_drop_equal, value)


def rule_of(file: str, service: str, operation: str) -> Rule:
    """The rule of one operation from ``data/<file>.toml``."""
    rows = [table(file).get(f"{service}.*", {}), *_alike(file, f"{service}.{operation}")]

    def joined(name: str) -> tuple[Any, ...]:
        return tuple(item for row in rows for item in row.get(name, ()))

    return Rule(
        omit=joined("omit"),
        omit_empty=joined("omit_empty"),
        hide=joined("hide"),
        strings=joined("strings"),
        empty=joined("empty"),
        only=joined("only"),
        fill=joined("fill"),
        defaults=_merge(row.get("defaults", {}) for row in rows),
        rename=_merge(row.get("rename", {}) for row in rows),
        only_with=_merge(row.get("only_with", {}) for row in rows),
        keep=any(row.get("keep", False) for row in rows),
        omit_equal=_merge(row.get("omit_equal", {}) for row in rows),
        defaults_with=_merge(row.get("defaults_with", {}) for row in rows),
        text=_merge(row.get("text", {}) for row in rows),
        echo=_merge(row.get("echo", {}) for row in rows),
        null=any(row.get("null", False) for row in rows),
        unwrap=any(row.get("unwrap", False) for row in rows),
        key=any(row.get("key", False) for row in rows),
    )


def _alike(file: str, name: str) -> list[dict[str, Any]]:
    """The row of ``name`` after the rows it is like, the farthest first."""
    row: dict[str, Any] = table(file).get(name, {})
    return [*(_alike(file, row["like"]) if "like" in row else []), row]


def answering_services() -> list[str]:
    """Services whose data events show ``responseElements``."""
    listed: list[str] = table("responses")["data_events"]["answers"]
    return listed


def _api_name(name: str) -> str:
    return name[:1].upper() + name[1:]


def _fill(spelled: dict[str, Any], defaults: Mapping[str, Any], context: Mapping[str, Any]) -> None:
    """Put defaults where nothing is, also inside objects that are there."""
    for name, value in defaults.items():
        if isinstance(value, dict) and value:
            if isinstance(spelled.setdefault(name, {}), dict):
                _fill(spelled[name], value, context)
        elif isinstance(value, str) and "{" in value:
            if (text := _filled(value, context)) is not None:
                spelled.setdefault(name, text)
        else:
            spelled.setdefault(name, deepcopy(value))


def _filled(template: str, context: Mapping[str, Any]) -> str | None:
    """A default with its names in braces replaced, or None when one of them is not known.

    ``{FunctionName#}`` is the last part of an ARN or path.
    """
    if any(not isinstance(context.get(name), str) for name, _ in BRACES.findall(template)):
        return None
    return BRACES.sub(
        lambda match: _last_part(context[match[1]]) if match[2] else context[match[1]], template
    )


def _last_part(value: str) -> str:
    return value.rpartition("/")[2].rpartition(":")[2]


def _each(value: Any, steps: list[str], members: Mapping[str, Any], context: Mapping[str, Any]) -> None:
    """Fill every object that the path reaches."""
    if isinstance(value, list):
        for item in value:
            _each(item, steps, members, context)
    elif isinstance(value, dict):
        if not steps:
            _fill(value, members, {**value, **context})
        elif steps[0] in value:
            _each(value[steps[0]], steps[1:], members, context)


def _put(owner: Any, steps: list[str], value: Any) -> None:
    """Set a member where the path's owner is."""
    for step in steps[:-1]:
        owner = owner.get(step) if isinstance(owner, dict) else None
    if isinstance(owner, dict):
        owner.setdefault(steps[-1], value)


def _merge(tables: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {name: value for part in tables for name, value in part.items()}


def _at(value: Any, steps: list[str], change: Change) -> None:
    """Apply ``change`` to every member that the path reaches."""
    if isinstance(value, list):
        for item in value:
            _at(item, steps, change)
    elif isinstance(value, dict) and steps[0] in value:
        if len(steps) == 1:
            change(value, steps[0])
        else:
            _at(value[steps[0]], steps[1:], change)


def _drop(owner: dict[str, Any], name: str) -> None:
    del owner[name]


def _hide(owner: dict[str, Any], name: str) -> None:
    owner[name] = HIDDEN


def _drop_empty(owner: dict[str, Any], name: str) -> None:
    if owner[name] in ("", {}, [], None):
        del owner[name]


def _drop_equal(value: Any, owner: dict[str, Any], name: str) -> None:
    if owner[name] == value:
        del owner[name]


def _replace(text: str, owner: dict[str, Any], name: str) -> None:
    owner[name] = text


def _to_string(owner: dict[str, Any], name: str) -> None:
    owner[name] = str(owner[name])


def _to_empty(owner: dict[str, Any], name: str) -> None:
    owner[name] = {}
