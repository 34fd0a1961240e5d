"""Predicate -> the EventBridge pattern of the events it may match.

A pattern never misses an event the predicate matches. Where EventBridge can say all of the
predicate it is exact; else it is what the predicate implies, and the matcher decides the rest.

The predicate becomes a choice of clauses: in a clause every field has its array of alternatives, which
is just what EventBridge has (``$or`` of objects).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opentrail.branches.detections.alternatives import Alternatives, alternatives, denied
from opentrail.branches.detections.fields import TEXT
from opentrail.branches.detections.predicate import All, Not, Predicate, Some, Test

# EventBridge quotas: characters of a pattern (it can be raised; we take what everybody has).
MAX_CHARACTERS = 2048
# EventBridge refuses patterns whose $or makes more than 1000 combinations, or whose wildcards are too many
# for it, without saying how many that is. UNCONFIRMED: far below is a choice.
MAX_CLAUSES = 32
MAX_WILDCARDS = 4

# As the stacks' own rule has them: only AWS puts events of these sources on a bus, so our own never match.
CALLS = {
    "source": [{"prefix": "aws."}],
    "detail-type": [
        "AWS API Call via CloudTrail",
        "AWS Console Sign In via CloudTrail",
        "AWS Console Action via CloudTrail",
        "AWS Service Event via CloudTrail",
        "AWS Network Activity Event via CloudTrail",
    ],
}

CALL = {"eventSource", "eventName"}  # what says most in the fewest characters

Clause = Mapping[str, Alternatives]
_EVERYTHING: Clause = {}


@dataclass(frozen=True, slots=True)
class Pattern:
    """An event pattern. ``exact``: it matches what the predicate matches; else it matches that and more."""

    body: Mapping[str, Any]
    exact: bool

    @property
    def is_every_call(self) -> bool:
        """Does it say nothing about the call? Then the function sees each one."""
        return "detail" not in self.body


@dataclass(frozen=True, slots=True)
class _Choice:
    clauses: tuple[Clause, ...]
    exact: bool


_UNKNOWN = _Choice((_EVERYTHING,), False)


def pattern_of(predicate: Predicate) -> Pattern:
    """Return the pattern of ``predicate``, as narrow as it fits into EventBridge's limits."""
    choice = _choice(predicate, holds=True)
    for fields in (None, CALL, {"eventName"}, {"eventSource"}):
        narrowed = choice if fields is None else _only(choice, fields)
        pattern = Pattern({**CALLS, **_detail(narrowed.clauses)}, narrowed.exact)
        if _fits(pattern):
            return pattern
    return Pattern(CALLS, False)


def _choice(predicate: Predicate, *, holds: bool) -> _Choice:
    """The clauses of ``predicate``, or of its opposite."""
    match predicate:
        case Not(of=of):
            return _choice(of, holds=not holds)
        case All(of=of):
            return _both(of, holds=holds) if holds else _either(of, holds=holds)
        case Some(of=of):
            return _either(of, holds=holds) if holds else _both(of, holds=holds)
        case _:
            return _leaf([predicate], holds=holds)


def _leaf(tests: list[Test], *, holds: bool) -> _Choice:
    found = alternatives(tests[0]) if holds else denied(tests)
    return _UNKNOWN if found is None else _Choice(({tests[0].field: found},), True)


def _either(parts: Iterable[Predicate], *, holds: bool) -> _Choice:
    """Any of the parts; those about one field become one array of alternatives."""
    exact, clauses = True, list[Clause]()
    for choice in [_choice(part, holds=holds) for part in parts]:
        exact = exact and choice.exact
        clauses += choice.clauses
    if _EVERYTHING in clauses:
        return _Choice((_EVERYTHING,), exact)
    return _limited(_joined(clauses), exact)


def _joined(clauses: list[Clause]) -> tuple[Clause, ...]:
    arrays: dict[str, list[Any]] = {}
    others: list[Clause] = []
    for clause in clauses:
        if len(clause) == 1:
            ((field, values),) = clause.items()
            array = arrays.setdefault(field, [])
            array += [value for value in values if not _is_among(value, array)]
        elif clause not in others:
            others.append(clause)
    return (*({field: tuple(array)} for field, array in arrays.items()), *others)


def _is_among(value: Any, array: list[Any]) -> bool:
    return any(type(value) is type(other) and value == other for other in array)  # 1 is not true


def _both(parts: tuple[Predicate, ...], *, holds: bool) -> _Choice:
    """All of the parts; the smallest choices first, so that these are kept when all are too many."""
    choices = [_choice(part, holds=holds) for part in parts] if holds else _denials(parts)
    result = _Choice((_EVERYTHING,), True)
    for choice in sorted(choices, key=lambda choice: len(choice.clauses)):
        if len(result.clauses) * len(choice.clauses) > MAX_CLAUSES:
            result = _Choice(result.clauses, False)
            continue
        merged = [_merged(a, b) for a in result.clauses for b in choice.clauses]
        clauses = _different(clause for clause, _ in merged)
        exact = result.exact and choice.exact and all(exact for _, exact in merged)
        result = _Choice((_EVERYTHING,) if _EVERYTHING in clauses else clauses, exact)
    return result


def _different(clauses: Iterable[Clause]) -> tuple[Clause, ...]:
    kept: list[Clause] = []
    for clause in clauses:
        if clause not in kept:
            kept.append(clause)
    return tuple(kept)


def _denials(parts: tuple[Predicate, ...]) -> list[_Choice]:
    """None of the parts: what is denied of one field goes into one ``anything-but``."""
    tests: dict[str, list[Test]] = {}
    choices: list[_Choice] = []
    for part in parts:
        if isinstance(part, All | Some | Not):
            choices.append(_choice(part, holds=False))
        else:
            tests.setdefault(part.field, []).append(part)
    return [*(_leaf(of_field, holds=False) for of_field in tests.values()), *choices]


def _merged(one: Clause, other: Clause) -> tuple[Clause, bool]:
    """Both clauses at once, and whether that says all of both.

    EventBridge takes one array for a field. Of fields below the same array of objects it wants one
    object that has them all, and Sigma does not: what follows such a field is left out.
    """
    merged, exact = dict(one), True
    for field, values in other.items():
        if merged.get(field) == values:
            continue
        if any(_share_an_array(field, known) for known in merged):
            exact = False
        else:
            merged[field] = values
    return merged, exact


def _share_an_array(field: str, other: str) -> bool:
    if field == other or field.startswith(f"{other}.") or other.startswith(f"{field}."):
        return True
    if field in TEXT or other in TEXT:
        return False
    mine, others = field.split("."), other.split(".")
    if mine[0] != others[0]:
        return False
    return mine[0] == "resources" or mine[1] == others[1]  # the record's other members are objects


def _limited(clauses: tuple[Clause, ...], exact: bool) -> _Choice:
    if len(clauses) <= MAX_CLAUSES:
        return _Choice(clauses, exact)
    fewer = _only(_Choice(clauses, exact), CALL)
    return fewer if len(fewer.clauses) <= MAX_CLAUSES else _UNKNOWN


def _only(choice: _Choice, fields: set[str]) -> _Choice:
    clauses = [{f: values for f, values in clause.items() if f in fields} for clause in choice.clauses]
    return _Choice((_EVERYTHING,) if _EVERYTHING in clauses else _joined(list(clauses)), False)


def _detail(clauses: tuple[Clause, ...]) -> dict[str, Any]:
    """The member ``detail``: what all clauses have in common, and ``$or`` of the rest."""
    first = clauses[0]
    common = {f: v for f, v in first.items() if all(clause.get(f) == v for clause in clauses)}
    rests = [{f: v for f, v in clause.items() if f not in common} for clause in clauses]
    detail = _nested(common)
    if _EVERYTHING not in rests:
        detail["$or"] = [_nested(rest) for rest in rests]
    return {"detail": detail} if detail else {}


def _nested(clause: Clause) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for field, values in clause.items():
        *parents, name = field.split(".")
        inner = nested
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[name] = list(values)
    return nested


def _fits(pattern: Pattern) -> bool:
    text = json.dumps(pattern.body, separators=(",", ":"))
    return len(text) <= MAX_CHARACTERS and text.count('{"wildcard":') <= MAX_WILDCARDS
