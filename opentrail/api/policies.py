"""Resource policies: may a service principal do this here?

Enough of IAM's language to answer as CloudTrail does when a trail names a
bucket, key, topic or role: principals, actions, resources, conditions, Deny
before Allow. What it does not know never helps a request: an unknown operator
fails an Allow and holds a Deny.

Source: IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements".
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from opentrail.format.iam_document import as_list
from opentrail.model.resource import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One thing a principal wants to do.

    ``context`` holds condition keys in lower case with the values the request carries.
    """

    service: str = ""  # "cloudtrail.amazonaws.com"; empty when the policy hangs on the principal itself
    action: str  # "s3:PutObject"
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def allows(policies: Iterable[Policy], access: Access) -> bool:
    """True when some statement allows ``access`` and none denies it.

    A malformed statement allows nothing and denies nothing.
    """
    statements = [s for policy in policies for s in as_list(policy.get("Statement"))]
    concerned = [s for s in statements if isinstance(s, dict) and _concerns(s, access)]
    if any(s.get("Effect") == "Deny" and _holds(s, access, unknown=True) for s in concerned):
        return False
    return any(s.get("Effect") == "Allow" and _holds(s, access, unknown=False) for s in concerned)


def _concerns(statement: Policy, access: Access) -> bool:
    return (
        (not access.service or _names_principal(statement, access.service))
        and _covers(statement, "Action", access.action.lower(), str.lower)
        and _covers(statement, "Resource", access.resource, str)
    )


def _names_principal(statement: Policy, service: str) -> bool:
    if "NotPrincipal" in statement:
        return not _is_named(statement["NotPrincipal"], service)
    return _is_named(statement.get("Principal"), service)


def _is_named(principal: Any, service: str) -> bool:
    if isinstance(principal, dict):
        return "*" in as_list(principal.get("AWS")) or service in as_list(principal.get("Service"))
    return bool(principal == "*")


def _covers(statement: Policy, element: str, value: str, fold: Callable[[str], str]) -> bool:
    if f"Not{element}" in statement:
        return not _matches_any(statement[f"Not{element}"], value, fold)
    # The policy of a role's trust has no Resource: it is about the role.
    return _matches_any(statement.get(element, "*" if element == "Resource" else ()), value, fold)


def _matches_any(patterns: Any, value: str, fold: Callable[[str], str]) -> bool:
    return any(_like(fold(p), value) for p in as_list(patterns) if isinstance(p, str))


def _like(pattern: str, value: str) -> bool:
    return _glob(pattern).fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    first, *rest = (".".join(map(re.escape, part.split("?"))) for part in pattern.split("*"))
    # What stands between two stars is found at its first place or nowhere: the groups are atomic,
    # lest a hostile policy make the matcher backtrack for ever.
    between = "".join(f"(?>.*?{part})" for part in rest[:-1])
    return re.compile(first + between + "".join(f".*{part}" for part in rest[-1:]), re.DOTALL)


def _holds(statement: Policy, access: Access, *, unknown: bool) -> bool:
    conditions = statement.get("Condition") or {}
    if not isinstance(conditions, dict):
        return unknown
    return all(
        _test(name, as_list(wanted), access.context.get(str(key).lower()), unknown)
        for name, pairs in conditions.items()
        for key, wanted in (pairs.items() if isinstance(pairs, dict) else [("", None)])
    )


def _test(condition: str, wanted: list[Any], found: str | None, unknown: bool) -> bool:
    quantifier, _, plain = condition.rpartition(":")
    name = plain.removesuffix("IfExists")
    if name == "Null":
        return (found is None) == any(str(w).lower() == "true" for w in wanted)
    if name not in _COMPARISONS:
        return unknown
    negative = name in _NEGATIVES
    if found is None:
        return negative or name != plain or quantifier == "ForAllValues"
    compare = _COMPARISONS[name]
    hit = any(compare(_to_text(w), found) for w in wanted)
    return hit is not negative


def _to_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _arn_like(pattern: str, value: str) -> bool:
    wanted, found = pattern.split(":", 5), value.split(":", 5)
    return len(wanted) == len(found) and all(map(_like, wanted, found))


def _in_network(network: str, address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _fold_equal(wanted: str, found: str) -> bool:
    return wanted.casefold() == found.casefold()


def _ordered(read: Callable[[str], Any], order: Callable[[Any, Any], bool]) -> Callable[[str, str], bool]:
    """A comparison of what ``read`` makes of both sides; what it cannot read never compares."""

    def compare(wanted: str, found: str) -> bool:
        try:
            return order(read(found), read(wanted))
        except (ValueError, TypeError):
            return False

    return compare


_ORDERS = {
    "Equals": operator.eq,
    "NotEquals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    **{f"Numeric{name}": _ordered(float, order) for name, order in _ORDERS.items()},
    **{f"Date{name}": _ordered(datetime.fromisoformat, order) for name, order in _ORDERS.items()},
    "StringEquals": str.__eq__,
    "StringNotEquals": str.__eq__,
    "StringEqualsIgnoreCase": _fold_equal,
    "StringNotEqualsIgnoreCase": _fold_equal,
    "StringLike": _like,
    "StringNotLike": _like,
    "ArnEquals": _arn_like,
    "ArnNotEquals": _arn_like,
    "ArnLike": _arn_like,
    "ArnNotLike": _arn_like,
    "Bool": _fold_equal,
    "IpAddress": _in_network,
    "NotIpAddress": _in_network,
}
_NEGATIVES = {name for name in _COMPARISONS if "Not" in name}
