"""What a call says beside its template: parameters, tags, capabilities, names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from opentrail.local.cloudformation.wire import Refusal
from opentrail.local.deployer.state import StackState

_STACK_NAME: Final = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
_NAMED: Final = ("GroupName", "InstanceProfileName", "ManagedPolicyName", "RoleName", "UserName")
NO_ROLLBACK: Final = "not simulated: the laptop rolls a failed deployment back, always"


def check_name(name: str) -> None:
    """Refuse a name that no stack can have.

    Raises:
        Refusal: in CloudFormation's words.
    """
    if not _STACK_NAME.fullmatch(name):
        raise Refusal(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )


def check_options(parameters: Mapping[str, Any]) -> None:
    """Refuse what would leave a failed stack half made.

    Raises:
        Refusal: the deployer always rolls back.
    """
    if parameters.get("DisableRollback"):
        raise Refusal(f"DisableRollback is {NO_ROLLBACK}")
    for name in ("OnFailure", "OnStackFailure"):
        if parameters.get(name) == "DO_NOTHING":
            raise Refusal(f"{name} DO_NOTHING is {NO_ROLLBACK}")


def settings_of(parameters: Mapping[str, Any], before: StackState | None = None) -> dict[str, Any]:
    """Return the members that stay with the stack; those not given keep their value."""
    kept = dict(before.settings) if before is not None else {}
    for name in ("Capabilities", "NotificationARNs", "RoleARN", "Tags", "EnableTerminationProtection"):
        if parameters.get(name) is not None:
            kept[name] = parameters[name]
    return kept


def given_parameters(
    items: Iterable[Mapping[str, Any]] | None, declared: Mapping[str, Any], before: StackState | None
) -> dict[str, str]:
    """Return the values for the template's parameters.

    A parameter with ``UsePreviousValue`` takes the stack's; one that is not named takes its default.

    Raises:
        Refusal: there is no previous value.
    """
    previous = values_of(before) if before is not None else {}
    given: dict[str, str] = {}
    for item in items or ():
        name = item["ParameterKey"]
        if not item.get("UsePreviousValue"):
            given[name] = item.get("ParameterValue", "")
        elif name in previous:
            given[name] = previous[name]
        else:
            raise Refusal(
                f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a "
                "parameter key not in the previous template"
            )
    for name, body in declared.items():
        if name not in given and "Default" in body:
            given[name] = str(body["Default"])
    missing = [name for name in declared if name not in given]
    if missing:
        raise Refusal(f"Parameters: [{', '.join(missing)}] must have values")
    unknown = sorted(name for name in given if name not in declared)
    if unknown:
        raise Refusal(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    return given


def values_of(stack: StackState) -> dict[str, str]:
    """Return the values of a stack's parameters, the defaults it took among them."""
    declared: Mapping[str, Any] = stack.template.get("Parameters", {})
    defaults = {name: str(body["Default"]) for name, body in declared.items() if "Default" in body}
    return {**defaults, **stack.parameters}


def needed_capabilities(template: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return the capability a template needs, and the resources why; empty when it needs none.

    Source: CloudFormation API reference, CreateStack, ``Capabilities``.
    """
    resources: Mapping[str, Any] = template.get("Resources", {})
    access = {
        name: body for name, body in resources.items() if str(body.get("Type", "")).startswith("AWS::IAM::")
    }
    if not access:
        return []
    named = any(name in body.get("Properties", {}) for body in access.values() for name in _NAMED)
    kinds = sorted({str(body["Type"]) for body in access.values()})
    return [("CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM", kinds)]


def check_capabilities(template: Mapping[str, Any], given: Iterable[str]) -> None:
    """Refuse a template that makes roles or policies without the caller having said so.

    Raises:
        Refusal: InsufficientCapabilitiesException.
    """
    acknowledged = set(given)
    if "CAPABILITY_NAMED_IAM" in acknowledged:
        acknowledged.add("CAPABILITY_IAM")
    lacking = [name for name, _ in needed_capabilities(template) if name not in acknowledged]
    if lacking:
        raise Refusal(f"Requires capabilities : [{', '.join(lacking)}]", "InsufficientCapabilitiesException")
