"""One test of one field -> what EventBridge calls it, where EventBridge can say exactly that.

Where it cannot, the answer is None: a pattern that is too narrow would lose findings.

Source: EventBridge user guide, "Comparison operators for use in event patterns".
"""

from __future__ import annotations

from typing import Any

from opentrail.branches.detections.fields import FLAGS, TEXT
from opentrail.branches.detections.glob import Piece, Wild, read_glob
from opentrail.branches.detections.predicate import Cidr, Present, Test, Text
from opentrail.branches.detections.values import as_text, to_number

Alternatives = tuple[Any, ...]  # the array of a leaf: any of them may hold

ABSENT = {"exists": False}
_NUMBER_LIMIT = 5_000_000_000  # EventBridge compares numbers between -5e9 and 5e9, to six decimals
_WORDS = {"true": True, "false": False}


def alternatives(test: Test) -> Alternatives | None:
    """What a value must be for ``test`` to hold; None when EventBridge cannot say it."""
    if not test.field:
        return None
    if test.field in FLAGS:
        return _flags(test, wanted=True)
    match test:
        case Text():
            return _text(test)
        case Cidr():
            return ({"cidr": test.network},)
        case Present() if test.field in TEXT:
            return ({"exists": True},)
    return None


def denied(tests: list[Test]) -> Alternatives | None:
    """What the field of ``tests`` must be for none of them to hold; None when EventBridge cannot say it.

    ``anything-but`` asks for a value, so what is absent is a second alternative (UNCONFIRMED: no page
    shows both in one array; alternatives are independent in all that are shown). In an array one
    element that differs would be enough for it: only fields that hold single values are denied.
    """
    field = tests[0].field
    if field in FLAGS:
        return _flags(tests[0], wanted=False) if len(tests) == 1 else None
    if field not in TEXT:
        return None
    if any(isinstance(test, Present) for test in tests):
        return (ABSENT,)
    found = [alternatives(test) for test in tests]
    singles = [one[0] for one in found if one is not None and len(one) == 1]
    excluded = _excluded(singles) if len(singles) == len(tests) else None
    return None if excluded is None else ({"anything-but": excluded}, ABSENT)


def _excluded(singles: list[Any]) -> Any:
    """The argument of ``anything-but``: texts, or texts under one operator; None for a mixture."""
    if all(isinstance(single, str) for single in singles):
        return singles
    operators = [_folded(single) for single in singles]
    names = {name for operator in operators for name in operator}
    if len(names) != 1 or {} in operators or not names <= {"equals-ignore-case", "prefix", "suffix"}:
        return None
    texts = [text for operator in operators for text in operator.values()]
    return {names.pop(): texts} if all(isinstance(text, str) for text in texts) else None


def _folded(single: Any) -> dict[str, Any]:
    """Beside texts of any case, a text without letters is one of them."""
    if isinstance(single, str):
        return {"equals-ignore-case": single} if single.lower() == single.upper() else {}
    operator: dict[str, Any] = single
    return operator


def _flags(test: Test, *, wanted: bool) -> Alternatives | None:
    """A member that is true, false or absent can be tried out."""
    match test:
        case Text():
            pieces = read_glob(test.like if test.cased else test.like.lower())
            if pieces != (Wild.ANY,) and len(pieces) != 1:
                return None
            hits = [value for value in (True, False) if pieces in ((Wild.ANY,), (as_text(value),))]
        case Present():
            hits = [True, False]
        case _:
            return None
    if wanted:
        return tuple(hits) or None
    return (*(value for value in (True, False) if value not in hits), ABSENT)


def _text(test: Text) -> Alternatives | None:
    pieces = read_glob(test.like)
    literal = "".join(piece for piece in pieces if isinstance(piece, str))
    if not literal.isascii():
        return None  # EventBridge does not say which letters it takes for the same
    caseless = test.cased or literal.lower() == literal.upper()
    match pieces:
        case ():
            return ("",) if test.field in TEXT else None
        case (str(whole),):
            return _whole(test.field, whole, caseless)
        case (str(start), Wild.ANY) if _is_text_only(test.field, start):
            return ({"prefix": start if caseless else {"equals-ignore-case": start}},)
        case (Wild.ANY, str(end)) if _is_text_only(test.field, end):
            return ({"suffix": end if caseless else {"equals-ignore-case": end}},)
        case (Wild.ANY,) if test.field in TEXT:
            return ({"exists": True},)
    is_one = test.field in TEXT and caseless and Wild.ONE not in pieces
    return ({"wildcard": _wildcard(pieces)},) if is_one else None


def _whole(field: str, whole: str, caseless: bool) -> Alternatives | None:
    text: Any = whole if caseless else {"equals-ignore-case": whole}
    if field in TEXT:
        return (text,)
    if whole.lower() in _WORDS:
        return (text, _WORDS[whole.lower()])
    number = to_number(whole)
    if number is None:
        return (text,)
    if abs(number) > _NUMBER_LIMIT or len(whole) > 15:
        return None
    # "022" and "2.50" are texts that no number reads like.
    return (text, {"numeric": ["=", number]}) if as_text(number) == whole else (text,)


def _is_text_only(field: str, part: str) -> bool:
    """No number, true or false can begin or end like ``part``."""
    return field in TEXT or not set(part.lower()) <= set("0123456789+-.etrufalsiny")


def _wildcard(pieces: tuple[Piece, ...]) -> str:
    return "".join(
        "*" if isinstance(piece, Wild) else piece.replace("\\", "\\\\").replace("*", "\\*")
        for piece in pieces
    )
