"""Sigma evaluated straight from the YAML's objects: slow, plain, and written without the compiler.

The judge of the compiler: it knows neither predicates nor patterns, and pySigma neither.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from fnmatch import fnmatchcase
from typing import Any


def matches(detection: dict[str, Any], record: dict[str, Any]) -> bool:
    """Does a rule's ``detection`` hold for a record?"""
    names = [name for name in detection if name != "condition"]
    tokens = re.findall(r"\(|\)|[\w*]+", detection["condition"])
    truth = {name: selection(detection[name], record) for name in names}
    return Condition(tokens, truth).value()


class Condition:
    """A reader of conditions that evaluates as it reads: ``or`` binds least, ``not`` most."""

    def __init__(self, tokens: list[str], truth: dict[str, bool]) -> None:
        self.tokens = tokens
        self.truth = truth

    def value(self) -> bool:
        """The value of the whole."""
        found = self.either()
        assert not self.tokens
        return found

    def either(self) -> bool:
        """``a or b``."""
        found = self.both()
        while self.tokens[:1] == ["or"]:
            self.tokens.pop(0)
            found = self.both() or found
        return found

    def both(self) -> bool:
        """``a and b``."""
        found = self.single()
        while self.tokens[:1] == ["and"]:
            self.tokens.pop(0)
            found = self.single() and found
        return found

    def single(self) -> bool:
        """``not a``, ``(a)``, ``1 of a*``, ``all of them``, ``a``."""
        token = self.tokens.pop(0)
        if token == "not":
            return not self.single()
        if token == "(":
            found = self.either()
            assert self.tokens.pop(0) == ")"
            return found
        if token in ("1", "any", "all"):
            assert self.tokens.pop(0) == "of"
            pattern = self.tokens.pop(0)
            chosen = [t for n, t in self.truth.items() if pattern == "them" or fnmatchcase(n, pattern)]
            return all(chosen) if token == "all" else any(chosen)
        return self.truth[token]


def selection(definition: Any, record: dict[str, Any]) -> bool:
    """A map is all of its items, a list any of its elements, a plain value a keyword."""
    if isinstance(definition, dict):
        return all(item(key, value, record) for key, value in definition.items())
    if isinstance(definition, list):
        return any(selection(one, record) for one in definition)
    return item("|contains", definition, record)


def item(key: str, wanted: Any, record: dict[str, Any]) -> bool:
    """``field|modifier: value`` or a list of values."""
    field, *modifiers = key.split("|")
    every = "all" in modifiers
    found = [one(field, [m for m in modifiers if m != "all"], w, record) for w in as_list(wanted)]
    return all(found) if every else any(found)


def one(field: str, modifiers: list[str], wanted: Any, record: dict[str, Any]) -> bool:
    """One field, one value."""
    there = look(record, field)
    if "exists" in modifiers:
        return bool(there) is wanted
    if wanted is None:
        return not there
    if "fieldref" in modifiers:
        others = [plain(v).lower() for v in look(record, wanted) if not isinstance(v, dict)]
        return any(plain(v).lower() in others for v in there if not isinstance(v, dict))
    if "cidr" in modifiers:
        return any(is_address(v, wanted) for v in there)
    for word, compare in (("lt", -1), ("gt", 1)):
        if word in modifiers:
            return any((float(plain(v)) - wanted) * compare > 0 for v in there if is_number(v))
    if "re" in modifiers:
        flags = re.IGNORECASE if "i" in modifiers else 0
        return any(re.search(wanted, text, flags) for v in there for text in inside(v))
    text = plain(wanted)
    if "base64" in modifiers:
        text = base64.b64encode(text.encode()).decode()
    if "contains" in modifiers or "startswith" in modifiers:
        text = text + "*"
    if "contains" in modifiers or "endswith" in modifiers:
        text = "*" + text
    return glob(text, there, cased="cased" in modifiers)


def glob(text: str, there: list[Any], *, cased: bool) -> bool:
    """A text with wild characters against the values of a field."""
    if text == "*":
        return bool(there)
    body = re.sub(r"\\\\|\\?[*?]|[^*?\\]+|\\", lambda m: piece(m.group()), text)
    flags = re.DOTALL | (0 if cased else re.IGNORECASE)
    opens = len(text) > 1 and text[0] == "*" and re.search(r"(?<!\\)(\\\\)*\*$", text)
    texts = [t for v in there for t in (inside(v) if opens else [] if isinstance(v, dict) else [plain(v)])]
    return any(re.fullmatch(body, t, flags) for t in texts)


def piece(token: str) -> str:
    """One piece of a glob as a regular expression."""
    if token == "*":
        return ".*"
    if token == "?":
        return "."
    return re.escape(token[1:] if token in ("\\*", "\\?", "\\\\") else token)


def look(value: Any, field: str) -> list[Any]:
    """The values of a dotted field: through lists, without nulls."""
    if isinstance(value, list):
        return [found for element in value for found in look(element, field)]
    if not field:
        return [] if value is None else [value]
    head, _, rest = field.partition(".")
    return look(value[head], rest) if isinstance(value, dict) and head in value else []


def inside(value: Any) -> list[str]:
    """A text, or an object's JSON and all texts in it."""
    if not isinstance(value, dict):
        return [plain(value)]
    members = [found for member in value.values() for found in look(member, "")]
    return [json.dumps(value, ensure_ascii=False, separators=(",", ":"))] + [
        text for member in members for text in inside(member)
    ]


def plain(value: Any) -> str:
    """A scalar as text."""
    return value if isinstance(value, str) else json.dumps(value)


def is_number(value: Any) -> bool:
    """A number, or a text that is one."""
    return not isinstance(value, dict) and bool(re.fullmatch(r"-?\d+(\.\d+)?", plain(value), re.ASCII))


def is_address(value: Any, network: str) -> bool:
    """An address of the network."""
    try:
        return ipaddress.ip_address(str(value)) in ipaddress.ip_network(network)
    except ValueError:
        return False


def as_list(value: Any) -> list[Any]:
    """One value as a list of one."""
    return value if isinstance(value, list) else [value]
