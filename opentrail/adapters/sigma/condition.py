"""pySigma's tree of a condition -> a predicate.

Source: Sigma specification, "Sigma Modifiers" and "Condition".
"""

from __future__ import annotations

import re
from typing import Literal

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    CompareOperators,
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
)

from opentrail.branches.detections.glob import Piece, Wild, to_glob
from opentrail.branches.detections.predicate import (
    All,
    Cidr,
    Not,
    Number,
    Predicate,
    Present,
    Regex,
    Same,
    Some,
    Text,
)
from opentrail.branches.detections.values import as_text
from opentrail.errors import FormatError

RECORD = ""  # the field of keywords: the whole record

_WILD = {SpecialChars.WILDCARD_MULTI: Wild.ANY, SpecialChars.WILDCARD_SINGLE: Wild.ONE}
_FLAGS = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}
_COMPARES: dict[CompareOperators, Literal["<", "<=", ">", ">="]] = {
    CompareOperators.LT: "<",
    CompareOperators.LTE: "<=",
    CompareOperators.GT: ">",
    CompareOperators.GTE: ">=",
}


def to_predicate(condition: object) -> Predicate:
    """Return the predicate of a parsed and resolved condition.

    Raises:
        FormatError: a part of it says what we cannot compile; the message names the part.
    """
    match condition:
        case ConditionAND():
            return All(tuple(to_predicate(part) for part in condition.args))
        case ConditionOR():
            return Some(tuple(to_predicate(part) for part in condition.args))
        case ConditionNOT():
            return Not(to_predicate(condition.args[0]))
        case ConditionFieldEqualsValueExpression():
            return _of_field(condition.field, condition.value)
        case ConditionValueExpression():
            return _keyword(condition.value)
    raise FormatError(f"its condition has a part of an unknown kind, {type(condition).__name__}")


def _of_field(field: str, value: SigmaType) -> Predicate:
    match value:
        case SigmaExpansion():
            return Some(tuple(_of_field(field, one) for one in value.values))
        case SigmaString():
            return _text(field, _pieces(field, value), isinstance(value, SigmaCasedString))
        case SigmaTimestampPart():
            raise _refusal(field, "parts of a time (hour, day, ...) are not supported")
        case SigmaNumber():
            return Text(field, as_text(value.number))
        case SigmaBool():
            return Text(field, as_text(value.boolean))
        case SigmaNull():
            return Not(Present(field))
        case SigmaExists():
            return Present(field) if value.exists else Not(Present(field))
        case SigmaRegularExpression():
            return _regex(field, value)
        case SigmaCIDRExpression():
            return Cidr(field, str(value.network))
        case SigmaCompareExpression() if value.op in _COMPARES:
            if isinstance(value.number, SigmaTimestampPart):
                raise _refusal(field, "parts of a time (hour, day, ...) are not supported")
            return Number(field, _COMPARES[value.op], value.number.number)
        case SigmaFieldReference():
            return Same(field, value.field, _place(value))
    raise _refusal(field, f"values of the kind {type(value).__name__} are not supported")


def _text(field: str, pieces: list[Piece], cased: bool) -> Predicate:
    return Present(field) if pieces == [Wild.ANY] else Text(field, to_glob(pieces), cased)


def _keyword(value: SigmaType) -> Predicate:
    """Keywords are looked for anywhere in the record."""
    match value:
        case SigmaExpansion():
            return Some(tuple(_keyword(one) for one in value.values))
        case SigmaString():
            pieces = [Wild.ANY, *_pieces("a keyword", value), Wild.ANY]
            return Text(RECORD, to_glob(pieces), isinstance(value, SigmaCasedString))
        case SigmaNumber():
            return Text(RECORD, to_glob([Wild.ANY, as_text(value.number), Wild.ANY]))
        case SigmaRegularExpression():
            return _regex(RECORD, value)
    raise _refusal("a keyword", f"values of the kind {type(value).__name__} need a field")


def _pieces(field: str, value: SigmaString) -> list[Piece]:
    pieces: list[Piece] = []
    for part in value.s:
        if isinstance(part, Placeholder):
            raise _refusal(field, f"there is nothing to put in the place of %{part.name}%")
        pieces.append(_WILD[part] if isinstance(part, SpecialChars) else part)
    return pieces


def _regex(field: str, value: SigmaRegularExpression) -> Regex:
    expression = str(value.regexp)
    try:
        re.compile(expression)
    except re.error as error:
        reason = f"{expression!r} is no regular expression of Python's: {error}"
        raise _refusal(field or "a keyword", reason) from error
    return Regex(field, expression, "".join(sorted(_FLAGS[flag] for flag in value.flags)))


def _place(value: SigmaFieldReference) -> Literal["whole", "start", "end", "inside"]:
    if value.starts_with and value.ends_with:
        return "inside"
    if value.starts_with:
        return "start"
    return "end" if value.ends_with else "whole"


def _refusal(field: str, reason: str) -> FormatError:
    return FormatError(f"{field}: {reason}")
