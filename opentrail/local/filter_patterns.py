"""CloudWatch Logs filter patterns for JSON: does a log event match? As metric filters read them.

``{ ($.a = "x*") && (($.b > 5) || ($.c[0].d NOT EXISTS)) }``. ``&&`` binds tighter than ``||``.
Patterns of other forms (words, columns in brackets) match nothing here.

Source: CloudWatch Logs user guide, "Filter pattern syntax for metric filters", part "JSON format".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from opentrail.errors import FormatError

Matcher = Callable[[Any], bool]
_ABSENT = object()

_TOKEN = re.compile(
    r"""\s*(?:(?P<symbol>&&|\|\||!=|>=|<=|[(){}=<>])
        |"(?P<quoted>(?:[^"\\]|\\.)*)"
        |(?P<selector>\$(?:\.[\w-]+|\[\d+\])+)
        |(?P<word>[^\s(){}=<>!&|"]+))""",
    re.VERBOSE,
)
_STEP = re.compile(r"\.(?P<name>[\w-]+)|\[(?P<index>\d+)\]")
_NUMBERS: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}
_CONSTANTS = {"TRUE": True, "FALSE": False, "NULL": None}


@lru_cache(maxsize=1024)
def compile_filter(pattern: str) -> Matcher:
    """Compile a pattern to a predicate over the text of log events.

    Raises:
        FormatError: it begins as a JSON pattern and is none.
    """
    if not pattern.lstrip().startswith("{"):
        return lambda _: False
    parser = _Parser(pattern)
    parser.expect("{")
    matches = parser.any_of()
    parser.expect("}")
    parser.expect_end()

    def matches_text(text: str) -> bool:
        try:
            value = json.loads(text)
        except ValueError:
            return False
        return isinstance(value, dict) and matches(value)

    return matches_text


class _Parser:
    """Recursive descent over tokens ``(kind, text)``."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._tokens = list(_tokens(pattern))
        self._next = 0

    def any_of(self) -> Matcher:
        alternatives = [self._all_of()]
        while self._take("||"):
            alternatives.append(self._all_of())
        return lambda value: any(matches(value) for matches in alternatives)

    def expect(self, symbol: str) -> None:
        if not self._take(symbol):
            raise self._error(f"{symbol} expected")

    def expect_end(self) -> None:
        if self._next < len(self._tokens):
            raise self._error("nothing may follow")

    def _all_of(self) -> Matcher:
        conditions = [self._condition()]
        while self._take("&&"):
            conditions.append(self._condition())
        return lambda value: all(matches(value) for matches in conditions)

    def _condition(self) -> Matcher:
        if self._take("("):
            inner = self.any_of()
            self.expect(")")
            return inner
        path = _path(self._token("selector"))
        kind, text = self._advance()
        if (kind, text) == ("word", "NOT"):
            return self._exists(path, wanted=False)
        if (kind, text) == ("word", "EXISTS"):
            return lambda value: _at(value, path) is not _ABSENT
        if (kind, text) == ("word", "IS"):
            constant = _CONSTANTS.get(self._token("word"), _ABSENT)
            return lambda value: _at(value, path) is constant
        if kind != "symbol" or text not in ("=", "!=", *_NUMBERS):
            raise self._error(f"{text!r} is no comparison")
        return self._comparison(path, text)

    def _exists(self, path: list[str | int], *, wanted: bool) -> Matcher:
        if self._token("word") != "EXISTS":
            raise self._error("EXISTS expected")
        return lambda value: (_at(value, path) is not _ABSENT) is wanted

    def _comparison(self, path: list[str | int], operator: str) -> Matcher:
        kind, text = self._advance()
        if kind not in ("quoted", "word"):
            raise self._error(f"a value expected after {operator}")
        if operator in _NUMBERS:
            return _number_test(path, _NUMBERS[operator], text)
        equal = operator == "="

        def compares(value: Any) -> bool:
            found = _at(value, path)
            # A member that is not there equals nothing and differs from nothing (UNCONFIRMED for !=).
            return found is not _ABSENT and found is not None and _is_like(found, text) is equal

        return compares

    def _token(self, kind: str) -> str:
        found, text = self._advance()
        if found != kind:
            raise self._error(f"{kind} expected, not {text!r}")
        return text

    def _take(self, symbol: str) -> bool:
        there = self._tokens[self._next : self._next + 1] == [("symbol", symbol)]
        self._next += there
        return there

    def _advance(self) -> tuple[str, str]:
        if self._next >= len(self._tokens):
            raise self._error("it ends too soon")
        self._next += 1
        return self._tokens[self._next - 1]

    def _error(self, what: str) -> FormatError:
        return FormatError(f"filter pattern {self._pattern!r}: {what}")


def _tokens(pattern: str) -> Iterator[tuple[str, str]]:
    position, end = 0, len(pattern.rstrip())
    while position < end:
        found = _TOKEN.match(pattern, position)
        if found is None or found.lastgroup is None:
            raise FormatError(f"filter pattern {pattern!r}: cannot be read at {position}")
        yield found.lastgroup, found[found.lastgroup]
        position = found.end()


def _path(selector: str) -> list[str | int]:
    steps = _STEP.finditer(selector)
    return [step["name"] if step["name"] is not None else int(step["index"]) for step in steps]


def _at(value: Any, path: list[str | int]) -> Any:
    for step in path:
        try:
            fits = isinstance(value, dict if isinstance(step, str) else list)
            value = value[step] if fits else _ABSENT
        except (KeyError, IndexError):
            return _ABSENT
        if value is _ABSENT:
            return _ABSENT
    return value


def _number_test(path: list[str | int], holds: Callable[[float, float], bool], text: str) -> Matcher:
    try:
        limit = float(text)
    except ValueError:
        raise FormatError(f"filter pattern: {text!r} is no number") from None

    def compares(value: Any) -> bool:
        found = _at(value, path)
        return isinstance(found, (int, float)) and not isinstance(found, bool) and holds(found, limit)

    return compares


def _is_like(found: Any, text: str) -> bool:
    """Text with ``*`` for any text; numbers by their value."""
    if isinstance(found, str):
        return fnmatchcase(found, re.sub(r"([\[?])", r"[\1]", text))
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        try:
            return found == float(text)
        except ValueError:
            return False
    return False
