"""What advanced event selectors of a trail may say: fields per category, operators, values.

Source: API reference, AdvancedFieldSelector; user guide, "Filtering data events",
"Logging management events" and "Logging network activity events".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from opentrail.api.basic_selectors import EXCLUDABLE_SOURCES
from opentrail.api.errors import ApiError

MAX_VALUES = 500  # over all conditions of a trail
OPERATORS = ("Equals", "NotEquals", "StartsWith", "NotStartsWith", "EndsWith", "NotEndsWith")

_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(?:\d{12})?:.+")
_RESOURCE_TYPE = re.compile(r"AWS::[A-Za-z0-9]+::[A-Za-z0-9]+")
_SOURCE = re.compile(r"[a-z0-9-]+\.amazonaws\.com")


# The service in whole ARNs of these types; of the others only the form is checked.
_SERVICES = {
    "AWS::DynamoDB::Stream": "dynamodb",
    "AWS::DynamoDB::Table": "dynamodb",
    "AWS::Kinesis::Stream": "kinesis",
    "AWS::Lambda::Function": "lambda",
    "AWS::S3::Object": "s3",
    "AWS::SNS::Topic": "sns",
    "AWS::SQS::Queue": "sqs",
}


class _Rule(NamedTuple):
    """What one field may say: which operators, how many values, which values."""

    operators: tuple[str, ...] = OPERATORS
    single: bool = False
    values: frozenset[str] | re.Pattern[str] | None = None
    exact: re.Pattern[str] | None = None  # what whole values (Equals, NotEquals) look like


_ANY = _Rule()
_EQUALS = ("Equals",)
_BOTH_WAYS = ("Equals", "NotEquals")
_CATEGORY = _Rule(_EQUALS, single=True, values=frozenset({"Management", "Data", "NetworkActivity"}))
_READ_ONLY = _Rule(_EQUALS, single=True, values=frozenset({"true", "false"}))

_FIELDS: dict[str, dict[str, _Rule]] = {
    "Management": {
        "eventCategory": _CATEGORY,
        "readOnly": _READ_ONLY,
        "eventSource": _Rule(("NotEquals",), values=EXCLUDABLE_SOURCES),
    },
    "Data": {
        "eventCategory": _CATEGORY,
        "readOnly": _READ_ONLY,
        "eventSource": _ANY,
        "eventName": _ANY,
        "eventType": _ANY,
        "sessionCredentialFromConsole": _Rule(_BOTH_WAYS, values=frozenset({"true"})),
        "userIdentity.arn": _ANY,
        "resources.type": _Rule(_EQUALS, single=True, values=_RESOURCE_TYPE),
        "resources.ARN": _Rule(exact=_ARN),
    },
    "NetworkActivity": {
        "eventCategory": _CATEGORY,
        "eventSource": _Rule(_EQUALS, single=True, values=_SOURCE),
        "eventName": _ANY,
        "errorCode": _Rule(_EQUALS, values=frozenset({"VpceAccessDenied"})),
        "vpcEndpointId": _ANY,
        "userIdentity.arn": _ANY,
    },
}
_REQUIRED = {
    "Management": ("eventCategory",),
    "Data": ("eventCategory", "resources.type"),
    "NetworkActivity": ("eventCategory", "eventSource"),
}


def check_advanced_selectors(selectors: Sequence[Mapping[str, Any]]) -> None:
    """Do nothing when a trail may have these selectors.

    Raises:
        ApiError: InvalidEventSelectorsException, naming what is wrong.
    """
    for selector in selectors:
        _check_selector(selector["FieldSelectors"])
    count = sum(len(f.get(o, ())) for s in selectors for f in s["FieldSelectors"] for o in OPERATORS)
    if count > MAX_VALUES:
        raise _invalid(
            f"The advanced event selectors of a trail have at most {MAX_VALUES} values, not {count}."
        )


def _check_selector(fields: Sequence[Mapping[str, Any]]) -> None:
    names = [field["Field"] for field in fields]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise _invalid(f"The field {repeated[0]} is given more than once in a selector.")
    category = _category(fields)
    for name in _REQUIRED[category]:
        if name not in names:
            raise _invalid(f"A selector of eventCategory {category} needs the field {name}.")
    for field in fields:
        rule = _FIELDS[category].get(field["Field"])
        if rule is None:
            raise _invalid(f"The field {field['Field']} is not supported for eventCategory {category}.")
        _check_field(field, rule)
    _check_service(fields)


def _check_service(fields: Sequence[Mapping[str, Any]]) -> None:
    """A whole ARN belongs to the resource type beside it."""
    types = [field["Equals"][0] for field in fields if field["Field"] == "resources.type"]
    service = _SERVICES.get(types[0]) if types else None
    for field in fields:
        for value in [v for o in _BOTH_WAYS for v in field.get(o, ()) if field["Field"] == "resources.ARN"]:
            if service and value.split(":")[2] != service:
                raise _invalid(f"Value {value} for the field resources.ARN is not an ARN of {types[0]}.")


def _category(fields: Sequence[Mapping[str, Any]]) -> str:
    for field in fields:
        if field["Field"] == "eventCategory":
            _check_field(field, _CATEGORY)
            category: str = field["Equals"][0]
            return category
    raise _invalid("A selector needs the field eventCategory.")


def _check_field(field: Mapping[str, Any], rule: _Rule) -> None:
    name = field["Field"]
    used = [operator for operator in OPERATORS if operator in field]
    if not used:
        raise _invalid(f"The field {name} needs an operator.")
    for operator in used:
        if operator not in rule.operators:
            raise _invalid(f"The operator {operator} is not supported for the field {name}.")
        if rule.single and len(field[operator]) != 1:
            raise _invalid(f"The field {name} takes exactly one value.")
        for value in field[operator]:
            _check_value(name, operator, value, rule)


def _check_value(name: str, operator: str, value: str, rule: _Rule) -> None:
    allowed = rule.values
    if operator in _BOTH_WAYS and rule.exact and not rule.exact.fullmatch(value):
        raise _invalid(f"Value {value} for the field {name} is not a valid ARN.")
    known = (
        allowed.fullmatch(value) if isinstance(allowed, re.Pattern) else allowed is None or value in allowed
    )
    if not known:
        raise _invalid(f"Value {value} for the field {name} is invalid.")


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidEventSelectorsException", message)
