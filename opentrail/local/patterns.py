"""Event patterns: does an event match? As EventBridge, Lambda filters and Scheduler read them.

A pattern is an object of fields; each leaf is an array of alternatives: exact values,
or objects with one operator. All fields must match; within a leaf any alternative may.

Source: EventBridge user guide, "Creating Amazon EventBridge event patterns" and
"Comparison operators for use in event patterns".
"""

from __future__ import annotations

import ipaddress
import json
import operator
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from opentrail.errors import FormatError

Matcher = Callable[[Any], bool]

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


@lru_cache(maxsize=4096)
def compile_pattern(text: str) -> Matcher:
    """Compile the JSON text of a pattern to a predicate over parsed events.

    Raises:
        FormatError: the pattern breaks EventBridge's rules; the message says which.
    """
    try:
        pattern = json.loads(text)
    except ValueError as error:
        raise FormatError(f"Event pattern is not valid. Reason: {error}") from error
    if not isinstance(pattern, dict):
        raise FormatError("Event pattern is not valid. Reason: Filter is not an object")
    return _compile_object(pattern)


def _compile_object(pattern: dict[str, Any]) -> Matcher:
    """All fields of ``pattern`` must match one and the same object (arrays of objects: any element)."""
    fields: list[Matcher] = []
    for name, rule in pattern.items():
        if name == "$or" and _is_or(rule):
            fields.append(_any_of([_compile_object(alternative) for alternative in rule]))
        else:
            fields.append(_compile_field(name, rule))

    def matches(value: Any) -> bool:
        if isinstance(value, list):
            return any(matches(element) for element in value)
        subject = value if isinstance(value, dict) else {}
        return all(field(subject) for field in fields)

    return matches


def _is_or(rule: Any) -> bool:
    # "$or" is a plain field name unless it holds at least two objects.
    return isinstance(rule, list) and len(rule) > 1 and all(isinstance(item, dict) for item in rule)


def _any_of(matchers: list[Matcher]) -> Matcher:
    return lambda value: any(matcher(value) for matcher in matchers)


def _compile_field(name: str, rule: Any) -> Matcher:
    if isinstance(rule, dict):
        if not rule:
            raise FormatError(f'Event pattern is not valid. Reason: Empty objects are not allowed: "{name}"')
        inner = _compile_object(rule)
        return lambda subject: inner(subject.get(name))
    if not isinstance(rule, list):
        raise FormatError(f'Event pattern is not valid. Reason: "{name}" must be an object or an array')
    if not rule:
        raise FormatError("Event pattern is not valid. Reason: Empty arrays are not allowed")
    return _compile_leaf(name, rule)


def _compile_leaf(name: str, alternatives: list[Any]) -> Matcher:
    present: list[Matcher] = []
    absent = False
    for alternative in alternatives:
        if isinstance(alternative, dict) and alternative == {"exists": False}:
            absent = True
        else:
            present.append(_compile_alternative(alternative))

    def matches(subject: dict[str, Any]) -> bool:
        leaves = list(_leaves(subject[name])) if name in subject else []
        if not leaves:  # an object or an empty array has no value either
            return absent
        return any(matcher(leaf) for leaf in leaves for matcher in present)

    return matches


def _leaves(value: Any) -> Iterator[Any]:
    # An array matches when one of its elements does; an object is no leaf, so only nested rules match it.
    if isinstance(value, list):
        for element in value:
            yield from _leaves(element)
    elif not isinstance(value, dict):
        yield value


def _compile_alternative(alternative: Any) -> Matcher:
    if not isinstance(alternative, dict):
        return _exactly(alternative)
    if len(alternative) != 1:
        raise FormatError("Event pattern is not valid. Reason: Only one key allowed in match expression")
    name, argument = next(iter(alternative.items()))
    compile_operator = _OPERATORS.get(name)
    if compile_operator is None:
        raise FormatError(f"Event pattern is not valid. Reason: Unrecognized match type {name}")
    return compile_operator(argument)


def _exactly(expected: Any) -> Matcher:
    if isinstance(expected, list):
        raise FormatError("Event pattern is not valid. Reason: Arrays may not be nested")
    if isinstance(expected, bool) or expected is None:
        return lambda value: value is expected
    if isinstance(expected, int | float):
        return lambda value: _is_number(value) and value == expected
    return lambda value: isinstance(value, str) and value == expected


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _on_text(test: Callable[[str], bool]) -> Matcher:
    return lambda value: isinstance(value, str) and test(value)


def _text(name: str, argument: Any) -> str:
    if not isinstance(argument, str):
        raise FormatError(f"Event pattern is not valid. Reason: {name} match pattern must be a string")
    return argument


def _affix(name: str, test: Callable[[str, str], bool]) -> Callable[[Any], Matcher]:
    def compile_affix(argument: Any) -> Matcher:
        if isinstance(argument, dict):
            if set(argument) != {"equals-ignore-case"}:
                raise FormatError(f"Event pattern is not valid. Reason: Unsupported {name} pattern")
            folded = _text(name, argument["equals-ignore-case"]).lower()
            return _on_text(lambda value: test(value.lower(), folded))
        expected = _text(name, argument)
        return _on_text(lambda value: test(value, expected))

    return compile_affix


def _ignore_case(argument: Any) -> Matcher:
    folded = _text("equals-ignore-case", argument).lower()
    return _on_text(lambda value: value.lower() == folded)


def _wildcard(argument: Any) -> Matcher:
    text = _text("wildcard", argument)
    if "**" in re.sub(r"\\.", "-", text):
        raise FormatError("Event pattern is not valid. Reason: Consecutive wildcard characters")
    expression = re.compile(_wildcard_expression(text), re.DOTALL)
    return _on_text(lambda value: expression.fullmatch(value) is not None)


def _wildcard_expression(text: str) -> str:
    parts: list[str] = []
    characters = iter(text)
    for character in characters:
        if character == "\\":
            escaped = next(characters, "")
            if escaped not in {"*", "\\"} or not escaped:
                raise FormatError("Event pattern is not valid. Reason: Invalid escape character")
            parts.append(re.escape(escaped))
        else:
            parts.append(".*" if character == "*" else re.escape(character))
    return "".join(parts)


def _numeric(argument: Any) -> Matcher:
    if not isinstance(argument, list) or not argument or len(argument) % 2:
        raise FormatError("Event pattern is not valid. Reason: numeric needs operators and numbers")
    tests: list[tuple[Callable[[Any, Any], bool], Any]] = []
    for symbol, number in zip(argument[::2], argument[1::2], strict=True):
        if symbol not in _COMPARISONS or not _is_number(number):
            raise FormatError(f"Event pattern is not valid. Reason: numeric: {symbol!r} {number!r}")
        tests.append((_COMPARISONS[symbol], number))
    return lambda value: _is_number(value) and all(test(value, number) for test, number in tests)


def _cidr(argument: Any) -> Matcher:
    try:
        network = ipaddress.ip_network(_text("cidr", argument), strict=False)
    except ValueError as error:
        raise FormatError(f"Event pattern is not valid. Reason: Malformed CIDR: {argument}") from error

    def matches(value: str) -> bool:
        try:
            return ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return _on_text(matches)


def _exists(argument: Any) -> Matcher:
    if argument is not True:
        raise FormatError("Event pattern is not valid. Reason: exists match pattern must be true or false")
    return lambda value: True


def _anything_but(argument: Any) -> Matcher:
    excluded = _excluded(argument)
    return lambda value: not any(matcher(value) for matcher in excluded)


def _excluded(argument: Any) -> list[Matcher]:
    if isinstance(argument, dict):
        if len(argument) != 1 or next(iter(argument)) not in _EXCLUDABLE:
            raise FormatError("Event pattern is not valid. Reason: Unsupported anything-but pattern")
        name, values = next(iter(argument.items()))
        return [_OPERATORS[name](value) for value in (values if isinstance(values, list) else [values])]
    values = argument if isinstance(argument, list) else [argument]
    if not values or any(isinstance(value, dict | list) for value in values):
        raise FormatError("Event pattern is not valid. Reason: anything-but needs values")
    return [_exactly(value) for value in values]


_EXCLUDABLE = frozenset({"prefix", "suffix", "wildcard", "equals-ignore-case"})
_OPERATORS: dict[str, Callable[[Any], Matcher]] = {
    "prefix": _affix("prefix", str.startswith),
    "suffix": _affix("suffix", str.endswith),
    "equals-ignore-case": _ignore_case,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "cidr": _cidr,
    "exists": _exists,
    "anything-but": _anything_but,
}
