"""Resource policies: which statements let everybody in?

A statement is open when it allows somebody whoever he is, and no condition narrows that
down to known networks, accounts, organizations or resources.

Source: S3 user guide, "Blocking public access to your Amazon S3 storage", "The meaning of 'public'".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from opentrail.branches.remediation.networks import is_worldwide
from opentrail.format.iam_document import statements

Document = dict[str, Any]

# The condition keys by which S3 takes a statement for not public, in lower case.
NARROWING = {
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
}
# Operators by which a key is compared to given values; the negative ones narrow nothing down.
COMPARING = ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress")


def read_policy(text: str) -> Document:
    """Parse a policy an API answered; one that is no object has no statements."""
    document = json.loads(text) if text else {}
    return document if isinstance(document, dict) else {}


def is_open(statement: Document) -> bool:
    """Does the statement let everybody in?"""
    if statement.get("Effect") != "Allow":
        return False
    if "NotPrincipal" in statement:
        return not _narrowed(statement)
    principal = statement.get("Principal")
    named = principal.get("AWS") if isinstance(principal, Mapping) else principal
    return "*" in _listed(named) and not _narrowed(statement)


def open_statements(text: str) -> list[Document]:
    """The statements of a policy document that let everybody in."""
    return [statement for statement in statements(read_policy(text)) if is_open(statement)]


def without_open(text: str) -> str:
    """The policy without its open statements; empty when no statement is left."""
    document = read_policy(text)
    kept = [statement for statement in statements(document) if not is_open(statement)]
    return json.dumps({**document, "Statement": kept}) if kept else ""


def allows_everything(text: str) -> bool:
    """Does an identity policy allow every action on every resource, without a condition?"""
    return any(
        statement.get("Effect") == "Allow"
        and {"*", "*:*"} & set(_listed(statement.get("Action")))
        and "*" in _listed(statement.get("Resource"))
        and not statement.get("Condition")
        for statement in statements(read_policy(text))
    )


def name_statements(found: list[Document]) -> str:
    """``Public, statement 2``: how people call them."""
    return ", ".join(str(s.get("Sid") or f"statement {number}") for number, s in enumerate(found, start=1))


def _narrowed(statement: Document) -> bool:
    conditions = statement.get("Condition") or {}
    return any(
        _base(operator) in COMPARING and key.lower() in NARROWING and all(map(_is_known, _listed(value)))
        for operator, keys in conditions.items()
        for key, value in keys.items()
    )


def _is_known(value: str) -> bool:
    """Does the value name a known network, account, organization or resource, and not any?"""
    worldwide = is_worldwide(value)
    if worldwide is not None:
        return not worldwide
    parts = value.split(":", 5)
    if parts[0] == "arn" and len(parts) == 6:  # what an account has may be any; so may what follows a name
        value = parts[4] or parts[5]
    return value[:1] not in ("*", "?", "$", "")


def _base(operator: str) -> str:
    # "IfExists" lets a caller without the key through, and so does "ForAllValues:".
    return operator.lower().removeprefix("foranyvalue:")


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
