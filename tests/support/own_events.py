"""docs/events.md as a check: does an event have the members the page lists, and no others?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

PAGE = Path(__file__).parents[2] / "docs" / "events.md"
_SECTION = re.compile(r"^## `(?P<type>[^`]+)`$(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| `(?P<path>[^`]+)` \| (?P<kind>\w+) \| (?P<always>yes|no) \|", re.MULTILINE)
_KINDS: dict[str, Any] = {"string": str, "number": (int, float), "boolean": bool, "null": type(None)}


class Member(NamedTuple):
    """One row: a member of ``detail`` by its path, where ``[]`` is any element."""

    kind: str
    always: bool


def documented() -> dict[str, dict[str, Member]]:
    """Members by detail-type and path."""
    return {
        section["type"]: {
            row["path"]: Member(row["kind"], row["always"] == "yes") for row in _ROW.finditer(section["text"])
        }
        for section in _SECTION.finditer(PAGE.read_text())
    }


def problems(event: dict[str, Any]) -> list[str]:
    """What is wrong with an EventBridge event of ours by the page; [] when nothing is."""
    members = documented().get(event["detail-type"])
    if members is None:
        return [f"{event['detail-type']}: not on the page"]
    leaves = list(_leaves("", event["detail"]))
    found = [f"source is {event['source']}"] if event["source"] != "opentrail" else []
    found += [f"{path}: not on the page" for path, _ in leaves if path not in members]
    found += [
        f"{path}: not a {members[path].kind}"
        for path, value in leaves
        if path in members and not _is_a(value, members[path].kind)
    ]
    there = {path for path, _ in leaves}
    found += [f"{path}: missing" for path, member in members.items() if member.always and path not in there]
    return found


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(f"{path}[]", inner)
    else:
        yield path, value


def _is_a(value: Any, kind: str) -> bool:
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))
