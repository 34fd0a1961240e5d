"""Predicate -> does a record match? The interpreter of the compiled form; a predicate is compiled once."""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from opentrail.branches.detections.glob import Piece, Wild, read_glob, to_regex
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
    Test,
    Text,
)
from opentrail.branches.detections.values import inner_texts, texts, to_number, values
from opentrail.errors import FormatError

Record = Mapping[str, Any]
Matcher = Callable[[Record], bool]

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_PLACES: dict[str, Callable[[str, str], bool]] = {
    "whole": str.__eq__,
    "start": str.startswith,
    "end": str.endswith,
    "inside": str.__contains__,
}
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}


def compile_predicate(predicate: Predicate) -> Matcher:
    """Return the test of ``predicate`` over parsed records.

    Raises:
        FormatError: an expression or a network in it is none.
    """
    if isinstance(predicate, All):
        every = [compile_predicate(part) for part in predicate.of]
        return lambda record: all(matches(record) for matches in every)
    if isinstance(predicate, Some):
        some = [compile_predicate(part) for part in predicate.of]
        return lambda record: any(matches(record) for matches in some)
    if isinstance(predicate, Not):
        denied = compile_predicate(predicate.of)
        return lambda record: not denied(record)
    return _test(predicate)


def _test(test: Test) -> Matcher:
    match test:
        case Text():
            return _text(test)
        case Regex():
            return _regex(test)
        case Cidr():
            return _cidr(test)
        case Number():
            return _number(test)
        case Present():
            return lambda record: bool(values(record, test.field))
        case Same():
            return _same(test)


def _text(test: Text) -> Matcher:
    pieces = read_glob(test.like if test.cased else test.like.lower())
    if pieces == (Wild.ANY,):
        return lambda record: bool(values(record, test.field))
    look = inner_texts if is_inside(pieces) else texts
    fits = _fits(pieces)
    if test.cased:
        return lambda record: any(fits(text) for text in look(record, test.field))
    return lambda record: any(fits(text.lower()) for text in look(record, test.field))


def is_inside(pieces: tuple[Piece, ...]) -> bool:
    """Does the glob look inside a text, open at both ends?"""
    return len(pieces) > 1 and pieces[0] is Wild.ANY and pieces[-1] is Wild.ANY


def _fits(pieces: tuple[Piece, ...]) -> Callable[[str], bool]:
    match pieces:
        case ():
            return lambda text: text == ""
        case (str(whole),):
            return lambda text: text == whole
        case (str(start), Wild.ANY):
            return lambda text: text.startswith(start)
        case (Wild.ANY, str(end)):
            return lambda text: text.endswith(end)
        case (Wild.ANY, str(part), Wild.ANY):
            return lambda text: part in text
    expression = to_regex(pieces)
    return lambda text: expression.fullmatch(text) is not None


def _regex(test: Regex) -> Matcher:
    flags = re.NOFLAG
    for flag in test.flags:
        flags |= _FLAGS[flag]
    try:
        expression = re.compile(test.expression, flags)
    except re.error as error:
        raise FormatError(f"{test.expression!r} is no regular expression: {error}") from error
    return lambda record: any(expression.search(text) for text in inner_texts(record, test.field))


def _cidr(test: Cidr) -> Matcher:
    try:
        network = ipaddress.ip_network(test.network)
    except ValueError as error:
        raise FormatError(f"{test.network!r} is no network: {error}") from error

    def is_in(text: str) -> bool:
        try:
            return ipaddress.ip_address(text) in network
        except ValueError:  # services are no addresses: "cloudtrail.amazonaws.com"
            return False

    return lambda record: any(is_in(text) for text in texts(record, test.field))


def _number(test: Number) -> Matcher:
    compares = _COMPARISONS[test.compares]

    def holds(text: str) -> bool:
        number = to_number(text)
        return number is not None and compares(number, test.than)

    return lambda record: any(holds(text) for text in texts(record, test.field))


def _same(test: Same) -> Matcher:
    compares = _PLACES[test.where]

    def matches(record: Record) -> bool:
        others = [text.lower() for text in texts(record, test.other)]
        mine = [text.lower() for text in texts(record, test.field)]
        return any(compares(one, other) for one in mine for other in others)

    return matches
