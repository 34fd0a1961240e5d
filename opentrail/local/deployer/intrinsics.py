"""CloudFormation's intrinsic functions: template value + scope -> plain value.

Pure: what a name means is asked of the ``Scope``, so the same code resolves
resources, conditions, rules and outputs.

Source: CloudFormation template reference, "Intrinsic function reference" and
"Rule-specific intrinsic functions".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

from opentrail.errors import DeployError

_SUB_VARIABLE: Final = re.compile(r"\$\{(!?)([^}]*)\}")


class NoValue:
    """What ``Ref: AWS::NoValue`` leaves behind until the property around it is removed."""


NO_VALUE: Final = NoValue()


class Scope(Protocol):
    """What the names in a template mean; each method raises ``DeployError`` on an unknown name."""

    def ref(self, name: str) -> Any:
        """Return the value of a parameter, pseudo parameter or resource (its physical id)."""

    def attribute(self, logical_id: str, name: str) -> Any:
        """Return one attribute of a resource that already exists."""

    def condition(self, name: str) -> bool:
        """Return the outcome of a named condition."""

    def mapping(self, name: str, first: str, second: str) -> Any:
        """Return one value of the template's ``Mappings``."""

    def imported(self, name: str) -> str:
        """Return the value another stack exports."""


def resolve(value: Any, scope: Scope) -> Any:
    """Return ``value`` with every intrinsic function replaced by its result.

    Members and list items that resolve to ``AWS::NoValue`` are left out, as
    CloudFormation does. The input is not changed.

    Raises:
        DeployError: an unknown function, unknown name or malformed argument.
    """
    if isinstance(value, Mapping):
        function = function_name(value)
        if function is not None:
            return _FUNCTIONS[function](value[function], scope)
        resolved = {key: resolve(item, scope) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}
    if isinstance(value, list):
        items = [resolve(item, scope) for item in value]
        return [item for item in items if item is not NO_VALUE]
    if isinstance(value, str) and "{{resolve:" in value:
        raise DeployError(f"dynamic reference {value!r} is not supported; pass the value as a parameter")
    return value


def function_name(value: Mapping[str, Any]) -> str | None:
    """Return which intrinsic function ``value`` calls, or None for plain data.

    Raises:
        DeployError: a function this runtime does not know.
    """
    if len(value) != 1:
        return None
    name = next(iter(value))
    # IAM policy conditions and event patterns have one-member objects too; only these spellings are calls.
    if name in _FUNCTIONS and (name != "Condition" or isinstance(value[name], str)):
        return name
    if name.startswith("Fn::"):
        raise DeployError(f"intrinsic function {name} is not supported")
    return None


def references(value: Any) -> Iterator[str]:
    """Yield every name that ``Ref``, ``Fn::GetAtt`` and ``Fn::Sub`` mention inside ``value``."""
    if isinstance(value, Mapping):
        function = function_name(value)
        if function == "Ref":
            yield str(value["Ref"])
        elif function == "Fn::GetAtt":
            yield _split_attribute(value["Fn::GetAtt"])[0]
        elif function == "Fn::Sub":
            yield from _sub_references(value["Fn::Sub"])
        else:
            for item in value.values():
                yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def _sub_references(argument: Any) -> Iterator[str]:
    text, own = _sub_parts(argument)
    yield from references(own)
    for literal, name in _SUB_VARIABLE.findall(text):
        if not literal and name not in own:
            yield name.partition(".")[0]


def _sub_parts(argument: Any) -> tuple[str, Mapping[str, Any]]:
    match argument:
        case str():
            return argument, {}
        case [str() as text, Mapping() as own]:
            return text, own
    raise DeployError(f"Fn::Sub takes a string, or a string and a map, not {argument!r}")


def _split_attribute(argument: Any) -> tuple[str, Any]:
    match argument:
        case str() if "." in argument:
            logical_id, _, name = argument.partition(".")
            return logical_id, name
        case [str() as logical_id, name]:
            return logical_id, name
    raise DeployError(f"Fn::GetAtt takes a logical id and an attribute, not {argument!r}")


def _get_att(argument: Any, scope: Scope) -> Any:
    logical_id, name = _split_attribute(argument)
    return scope.attribute(logical_id, _text(resolve(name, scope), "Fn::GetAtt"))


def _sub(argument: Any, scope: Scope) -> str:
    text, own = _sub_parts(argument)
    values = resolve(own, scope)

    def replacement(found: re.Match[str]) -> str:
        literal, name = found.groups()
        if literal:  # ${!Name} is how a template writes a literal ${Name}
            return "${" + name + "}"
        if name in values:
            return _text(values[name], "Fn::Sub")
        logical_id, dot, attribute = name.partition(".")
        return _text(scope.attribute(logical_id, attribute) if dot else scope.ref(name), "Fn::Sub")

    return _SUB_VARIABLE.sub(replacement, text)


def _join(argument: Any, scope: Scope) -> str:
    delimiter, items = _pair(argument, "Fn::Join")
    resolved = resolve(items, scope)
    if not isinstance(resolved, list):
        raise DeployError(f"Fn::Join takes a list, not {resolved!r}")
    return _text(delimiter, "Fn::Join").join(_text(item, "Fn::Join") for item in resolved)


def _split(argument: Any, scope: Scope) -> list[str]:
    delimiter, text = _pair(argument, "Fn::Split")
    if not delimiter:
        raise DeployError("Fn::Split takes a delimiter of at least one character")
    return _text(resolve(text, scope), "Fn::Split").split(delimiter)


def _select(argument: Any, scope: Scope) -> Any:
    position, items = (resolve(part, scope) for part in _pair(argument, "Fn::Select"))
    try:
        place = int(position)
    except (TypeError, ValueError):
        raise DeployError(f"Fn::Select takes a position, not {position!r}") from None
    if not isinstance(items, list) or not 0 <= place < len(items):
        raise DeployError(f"Fn::Select: there is no item {place} in {items!r}")
    return items[place]


def _find_in_map(argument: Any, scope: Scope) -> Any:
    names = resolve(argument, scope)
    if not isinstance(names, list) or len(names) != 3:
        raise DeployError(f"Fn::FindInMap takes three names, not {argument!r}")
    first, second, third = (_text(name, "Fn::FindInMap") for name in names)
    return scope.mapping(first, second, third)


def _base64(argument: Any, scope: Scope) -> str:
    return base64.b64encode(_text(resolve(argument, scope), "Fn::Base64").encode()).decode()


def _import_value(argument: Any, scope: Scope) -> str:
    return scope.imported(_text(resolve(argument, scope), "Fn::ImportValue"))


def _if(argument: Any, scope: Scope) -> Any:
    match argument:
        case [str() as name, when_true, when_false]:
            return resolve(when_true if scope.condition(name) else when_false, scope)
    raise DeployError(f"Fn::If takes a condition name and two values, not {argument!r}")


def _equals(argument: Any, scope: Scope) -> bool:
    first, second = (resolve(part, scope) for part in _pair(argument, "Fn::Equals"))
    return bool(_loose(first) == _loose(second))


def _loose(value: Any) -> Any:
    # CloudFormation compares text: the template's true and a parameter's "true" are equal.
    return _text(value, "Fn::Equals") if isinstance(value, bool | int | float) else value


def truth(value: Any, scope: Scope) -> bool:
    """Return the outcome of a condition or assertion expression.

    Raises:
        DeployError: the expression does not give true or false.
    """
    outcome = resolve(value, scope)
    if isinstance(outcome, bool):
        return outcome
    raise DeployError(f"{value!r} is not a condition")


def _truths(argument: Any, scope: Scope, name: str, counts: range) -> list[bool]:
    if not isinstance(argument, list) or len(argument) not in counts:
        raise DeployError(f"{name} takes {counts.start} to {counts.stop - 1} conditions, not {argument!r}")
    return [truth(item, scope) for item in argument]


def _and(argument: Any, scope: Scope) -> bool:
    return all(_truths(argument, scope, "Fn::And", range(2, 11)))


def _or(argument: Any, scope: Scope) -> bool:
    return any(_truths(argument, scope, "Fn::Or", range(2, 11)))


def _not(argument: Any, scope: Scope) -> bool:
    return not _truths(argument, scope, "Fn::Not", range(1, 2))[0]


def _contains(argument: Any, scope: Scope) -> bool:
    items, value = (resolve(part, scope) for part in _pair(argument, "Fn::Contains"))
    return value in items


def _each_member_equals(argument: Any, scope: Scope) -> bool:
    items, value = (resolve(part, scope) for part in _pair(argument, "Fn::EachMemberEquals"))
    return all(item == value for item in items)


def _each_member_in(argument: Any, scope: Scope) -> bool:
    items, allowed = (resolve(part, scope) for part in _pair(argument, "Fn::EachMemberIn"))
    return all(item in allowed for item in items)


def _ref(argument: Any, scope: Scope) -> Any:
    name = _text(argument, "Ref")
    return NO_VALUE if name == "AWS::NoValue" else scope.ref(name)


def _condition(argument: Any, scope: Scope) -> bool:
    return scope.condition(argument)


def _pair(argument: Any, name: str) -> tuple[Any, Any]:
    match argument:
        case [first, second]:
            return first, second
    raise DeployError(f"{name} takes two arguments, not {argument!r}")


def _text(value: Any, name: str) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
    raise DeployError(f"{name} takes text, not {value!r}")


_FUNCTIONS: Final[dict[str, Callable[[Any, Scope], Any]]] = {
    "Ref": _ref,
    "Condition": _condition,
    "Fn::And": _and,
    "Fn::Base64": _base64,
    "Fn::Contains": _contains,
    "Fn::EachMemberEquals": _each_member_equals,
    "Fn::EachMemberIn": _each_member_in,
    "Fn::Equals": _equals,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Not": _not,
    "Fn::Or": _or,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
}
