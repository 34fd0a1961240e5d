"""Per-operation rules on top of the spelling: omit, hide, defaults, rename.

A rule comes from ``requests.toml`` or ``responses.toml``; the row of the operation
and the row of its whole service (``service.*``) are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from opentrail.local.capture.spelling import HIDDEN
from opentrail.local.capture.tables import table


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The merged rules of one operation, one direction."""

    omit: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    defaults: dict[str, Any] = field(default_factory=dict)
    rename: dict[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    only_with: dict[str, list[str]] = field(default_factory=dict)
    keep: bool = False
    null: bool = False

    def apply(self, spelled: dict[str, Any], asked: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
        """Change ``spelled`` in place and return it.

        Args:
            spelled: request parameters or response elements in CloudTrail's names.
            asked: for a response, the API parameters of its request.
        """
        for old, new in self.rename.items():
            if old in spelled:
                spelled[new] = spelled.pop(old)
        if self.only:
            spelled = {name: spelled[name] for name in self.only if name in spelled}
        for name, reasons in self.only_with.items():
            if name in spelled and not any(reason[:1].upper() + reason[1:] in asked for reason in reasons):
                del spelled[name]
        for path in self.omit:
            _at(spelled, path.split("."), _drop)
        for path in self.hide:
            _at(spelled, path.split("."), _hide)
        _fill(spelled, self.defaults)
        return spelled


def rule_of(file: str, service: str, operation: str) -> Rule:
    """The rule of one operation from ``data/<file>.toml``."""
    rows = [table(file).get(f"{service}.*", {}), table(file).get(f"{service}.{operation}", {})]
    return Rule(
        omit=tuple(path for row in rows for path in row.get("omit", ())),
        hide=tuple(path for row in rows for path in row.get("hide", ())),
        defaults=_merge(row.get("defaults", {}) for row in rows),
        rename=_merge(row.get("rename", {}) for row in rows),
        only=tuple(name for row in rows for name in row.get("only", ())),
        only_with=_merge(row.get("only_with", {}) for row in rows),
        keep=any(row.get("keep", False) for row in rows),
        null=any(row.get("null", False) for row in rows),
    )


def _fill(spelled: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    """Put defaults where nothing is, also inside objects that are there."""
    for name, value in defaults.items():
        if not isinstance(value, dict):
            spelled.setdefault(name, value)
        elif isinstance(spelled.setdefault(name, {}), dict):
            _fill(spelled[name], value)


def _merge(tables: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {name: value for part in tables for name, value in part.items()}


def _at(value: Any, steps: list[str], change: Callable[[dict[str, Any], str], None]) -> None:
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
