"""Stack parameters: what the template declares + what the caller gives -> values.

Source: CloudFormation user guide, "Parameters section" and "SSM parameter types".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from opentrail.errors import DeployError

_LISTS: Final = frozenset({"CommaDelimitedList", "List<String>", "List<Number>"})
_NUMBERS: Final = frozenset({"Number", "List<Number>"})
_SSM: Final = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
_PLAIN: Final = frozenset({"String", "Number", *_LISTS})
_PARTS: Final = frozenset(
    {
        "AllowedPattern",
        "AllowedValues",
        "ConstraintDescription",
        "Default",
        "Description",
        "MaxLength",
        "MaxValue",
        "MinLength",
        "MinValue",
        "NoEcho",
        "Type",
    }
)

Lookup = Callable[[str], str]  # name of an SSM parameter -> its value, or DeployError


def parameter_values(
    declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, str], *, ssm: Lookup
) -> dict[str, str | list[str]]:
    """Return the value of every declared parameter, checked against its constraints.

    Args:
        declared: the template's ``Parameters`` section.
        given: the caller's values; names the template does not declare are refused.
        ssm: reads one SSM parameter, for ``AWS::SSM::Parameter::Value<...>`` types.

    Returns:
        dict: text for scalar types, a list of text for list types.

    Raises:
        DeployError: names every parameter that is unknown, missing or out of its constraints.
    """
    problems = [f"parameter {name} is not declared by the template" for name in given if name not in declared]
    values: dict[str, str | list[str]] = {}
    for name, body in declared.items():
        try:
            values[name] = _value(name, body, given, ssm)
        except DeployError as error:
            problems.append(str(error))
    if problems:
        raise DeployError("; ".join(problems))
    return values


def _value(name: str, body: Mapping[str, Any], given: Mapping[str, str], ssm: Lookup) -> str | list[str]:
    unknown = sorted(body.keys() - _PARTS)
    if unknown:
        raise DeployError(f"parameter {name}: {', '.join(unknown)} is not supported")
    if name not in given and "Default" not in body:
        raise DeployError(f"parameter {name} has no value and no default")
    text = str(given.get(name, body.get("Default")))
    _check(name, body, text)
    kind = str(body.get("Type"))
    stored = _SSM.fullmatch(kind)
    if stored:
        kind, text = stored.group(1), ssm(text)
    if kind not in _PLAIN:
        raise DeployError(f"parameter {name}: type {kind} is not supported")
    items = [item.strip() for item in text.split(",")] if kind in _LISTS else [text]
    if kind in _NUMBERS:
        for item in items:
            _number(name, item)
    return items if kind in _LISTS else text


def _check(name: str, body: Mapping[str, Any], text: str) -> None:
    why = f" ({body['ConstraintDescription']})" if "ConstraintDescription" in body else ""
    allowed = [str(value) for value in body.get("AllowedValues", [text])]
    if text not in allowed:
        raise DeployError(f"parameter {name}: {text!r} is not one of {', '.join(allowed)}{why}")
    pattern = body.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(pattern, text):
        raise DeployError(f"parameter {name}: {text!r} does not match {pattern}{why}")
    if not int(body.get("MinLength", 0)) <= len(text) <= int(body.get("MaxLength", len(text))):
        raise DeployError(f"parameter {name}: {text!r} has {len(text)} characters{why}")
    if "MinValue" in body and _number(name, text) < float(body["MinValue"]):
        raise DeployError(f"parameter {name}: {text} is below {body['MinValue']}{why}")
    if "MaxValue" in body and _number(name, text) > float(body["MaxValue"]):
        raise DeployError(f"parameter {name}: {text} is above {body['MaxValue']}{why}")


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DeployError(f"parameter {name}: {text!r} is not a number") from None
