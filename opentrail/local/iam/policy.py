"""One policy document against one request.

Source: IAM user guide, "Policy evaluation logic" and "IAM JSON policy element reference".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opentrail.local.iam.conditions import Context, fill, hold, matches, matches_arn

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One action on one resource, as policies see it.

    ``principals`` are the names a resource policy may know the caller by: its ARN, its
    role's, its account.
    """

    action: str  # "s3:PutObject"
    resource: str  # an ARN, or "*" where the action has none
    context: Context
    principals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a set of policies says."""

    allows: bool
    denies: bool


def judge(documents: Iterable[Document], request: Request) -> Verdict:
    """Return what identity policies say: the statements that apply, whoever the caller is."""
    effects = {effect for document in documents for effect in _effects(document, request, None)}
    return Verdict("Allow" in effects, "Deny" in effects)


def judge_resource(document: Document, request: Request, principals: Iterable[str]) -> Verdict:
    """Return what a resource's policy says about a caller known by one of ``principals``."""
    effects = set(_effects(document, request, tuple(principals)))
    return Verdict("Allow" in effects, "Deny" in effects)


def _effects(document: Document, request: Request, principals: tuple[str, ...] | None) -> Iterator[str]:
    for statement in listed(document.get("Statement")):
        if (
            _is_about_action(statement, request.action)
            and _is_about_resource(statement, request)
            and (principals is None or _is_about_principal(statement, principals))
            and hold(statement.get("Condition", {}), request.context)
        ):
            yield str(statement["Effect"])


def listed(value: Any) -> list[Any]:
    """A policy's value as a list, which a single one need not be."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _is_about_action(statement: Document, action: str) -> bool:
    if "NotAction" in statement:
        return not _any_action(statement["NotAction"], action)
    return _any_action(statement.get("Action"), action)


def _any_action(patterns: Any, action: str) -> bool:
    return any(matches(str(one).lower(), action.lower()) for one in listed(patterns))


def _is_about_resource(statement: Document, request: Request) -> bool:
    if "NotResource" in statement:
        return not _any_resource(statement["NotResource"], request)
    return "Resource" not in statement or _any_resource(statement["Resource"], request)


def _any_resource(patterns: Any, request: Request) -> bool:
    filled = (fill(str(one), request.context) for one in listed(patterns))
    return any(one == "*" or matches_arn(one, request.resource) for one in filled)


def _is_about_principal(statement: Document, principals: tuple[str, ...]) -> bool:
    if "NotPrincipal" in statement:
        return not _any_principal(statement["NotPrincipal"], principals)
    return _any_principal(statement.get("Principal"), principals)


def _any_principal(named: Any, principals: tuple[str, ...]) -> bool:
    if named == "*":
        return True
    names = listed(named.get("AWS")) if isinstance(named, Mapping) else []
    return any(name == "*" or name in principals for name in names)
