"""Condition blocks of a policy: operators, ``IfExists``, and the set operators.

Source: IAM user guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

Context = Mapping[str, list[str]]  # condition key in lower case -> its values in this request

_VARIABLE: Final = re.compile(r"\$\{([^}]+)\}")
_SYMBOLS: Final = {"*": "*", "?": "?", "$": "$"}


@cache
def _glob(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(one, re.escape(one)) for one in pattern), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether ``text`` matches a pattern with ``*`` and ``?``."""
    return bool(_glob(pattern).fullmatch(text))


def matches_arn(pattern: str, text: str) -> bool:
    """The same for ARNs: each of the first five parts is matched on its own."""
    wanted, found = pattern.split(":", 5), text.split(":", 5)
    if len(wanted) != 6 or len(found) != 6:
        return matches(pattern, text)
    return all(map(matches, wanted, found))


def fill(pattern: str, context: Context) -> str:
    """Replace policy variables (``${aws:username}``); an unknown one matches nothing."""

    def value(found: re.Match[str]) -> str:
        name, _, default = found[1].partition(",")
        if name in _SYMBOLS:
            return _SYMBOLS[name]
        values = context.get(name.strip().lower())
        return values[0] if values else default.strip().strip("'") or "\0"

    return _VARIABLE.sub(value, pattern)


def hold(block: Mapping[str, Any], context: Context) -> bool:
    """Whether every operator of a condition block holds.

    Raises:
        ValueError: an operator IAM does not have.
    """
    return all(
        _holds(operator, key, values, context)
        for operator, keys in block.items()
        for key, values in keys.items()
    )


def _holds(operator: str, key: str, wanted: Any, context: Context) -> bool:
    values = [str(one).lower() if isinstance(one, bool) else str(one) for one in _as_list(wanted)]
    quantifier, _, rest = operator.rpartition(":")
    name = rest.removesuffix("IfExists")
    found = context.get(key.lower())
    if name == "Null":
        return (found is None) == (values[0].lower() == "true")
    negated = name.startswith(("StringNot", "NumericNot", "DateNot", "ArnNot", "NotIp"))
    compare = _operator(name)
    if not found:
        return rest.endswith("IfExists") or quantifier == "ForAllValues" or (negated and not quantifier)

    def one_holds(value: str) -> bool:
        hit = any(compare(fill(pattern, context), value) for pattern in values)
        return not hit if negated else hit

    return any(map(one_holds, found)) if quantifier == "ForAnyValue" else all(map(one_holds, found))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _in_network(network: str, address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False  # a service's name stands where its address would


def _date(text: str) -> float:
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else datetime.fromisoformat(text).timestamp()


_COMPARE: Final[dict[str, Callable[[str, str], bool]]] = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": matches,
    "ArnEquals": matches_arn,
    "ArnLike": matches_arn,
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
    "BinaryEquals": lambda wanted, value: wanted == value,
    "IpAddress": _in_network,
    "NumericEquals": lambda wanted, value: float(value) == float(wanted),
    "NumericLessThan": lambda wanted, value: float(value) < float(wanted),
    "NumericLessThanEquals": lambda wanted, value: float(value) <= float(wanted),
    "NumericGreaterThan": lambda wanted, value: float(value) > float(wanted),
    "NumericGreaterThanEquals": lambda wanted, value: float(value) >= float(wanted),
    "DateEquals": lambda wanted, value: _date(value) == _date(wanted),
    "DateLessThan": lambda wanted, value: _date(value) < _date(wanted),
    "DateLessThanEquals": lambda wanted, value: _date(value) <= _date(wanted),
    "DateGreaterThan": lambda wanted, value: _date(value) > _date(wanted),
    "DateGreaterThanEquals": lambda wanted, value: _date(value) >= _date(wanted),
}
_NEGATIONS: Final = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}


def _operator(name: str) -> Callable[[str, str], bool]:
    compare = _COMPARE.get(_NEGATIONS.get(name, name))
    if compare is None:
        raise ValueError(f"IAM has no condition operator {name}")
    return compare
