"""A CloudFormation template as typed parts, in the order its resources can be made.

Nothing in a template is passed over: a section or resource attribute this
runtime does not honour is a ``DeployError``. ``Metadata`` and descriptions
carry no instructions and are the only parts left unread.

Source: CloudFormation user guide, "Template sections" and "Resource attribute reference".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from opentrail.errors import DeployError
from opentrail.local.deployer.intrinsics import references

_SECTIONS: Final = frozenset(
    {
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
        "Rules",
    }
)
_RESOURCE_PARTS: Final = frozenset(
    {"Condition", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type", "UpdateReplacePolicy"}
)
_OUTPUT_PARTS: Final = frozenset({"Condition", "Description", "Export", "Value"})
_DELETION_POLICIES: Final = frozenset({"Delete", "Retain", "RetainExceptOnCreate"})
_REPLACE_POLICIES: Final = frozenset({"Delete", "Retain"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One entry of ``Resources``, its properties not yet resolved."""

    logical_id: str
    type_name: str
    properties: Mapping[str, Any]
    condition: str | None
    depends_on: tuple[str, ...]  # as written; references inside the properties come on top
    deletion_policy: str
    replace_policy: str
    metadata: Any = None

    def needs(self) -> Iterator[str]:
        """Yield every name this resource waits for; parameters are among them."""
        yield from self.depends_on
        yield from references(self.properties)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDefinition:
    """One entry of ``Outputs``, not yet resolved."""

    name: str
    value: Any
    export: Any  # None when the output is not exported
    condition: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template whose structure has been checked."""

    source: Mapping[str, Any]
    parameters: Mapping[str, Mapping[str, Any]]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    rules: Mapping[str, Mapping[str, Any]]
    resources: Mapping[str, Definition]
    outputs: Mapping[str, OutputDefinition]

    def ordered(self) -> list[Definition]:
        """Return the resources so that each comes after everything it needs.

        Raises:
            DeployError: resources wait for each other in a circle, or for one that is not there.
        """
        graph = {
            name: [need for need in one.needs() if need in self.resources]
            for name, one in self.resources.items()
        }
        try:
            return [self.resources[name] for name in TopologicalSorter(graph).static_order()]
        except CycleError as error:
            circle = " -> ".join(error.args[1])
            raise DeployError(f"circular dependency between resources: {circle}") from None


def parse_template(source: Mapping[str, Any]) -> Template:
    """Return the typed form of a template.

    Args:
        source: the template as JSON gives it.

    Raises:
        DeployError: a section, attribute or policy this runtime does not honour, or no resources.
    """
    _only(source, _SECTIONS, "template section")
    resources = _section(source, "Resources")
    if not resources:
        raise DeployError("the template has no Resources")
    template = Template(
        source=source,
        parameters=_section(source, "Parameters"),
        mappings=_section(source, "Mappings"),
        conditions=_section(source, "Conditions"),
        rules=_section(source, "Rules"),
        resources={name: _definition(name, body) for name, body in resources.items()},
        outputs={name: _output(name, body) for name, body in _section(source, "Outputs").items()},
    )
    _check_names(template)
    return template


def _check_names(template: Template) -> None:
    conditions = [one.condition for one in template.resources.values()]
    conditions += [one.condition for one in template.outputs.values()]
    for name in conditions:
        if name is not None and name not in template.conditions:
            raise DeployError(f"condition {name} is not defined")
    known = template.resources.keys() | template.parameters.keys()
    for one in template.resources.values():
        for need in one.needs():
            if need not in known and not need.startswith("AWS::"):
                raise DeployError(f"{one.logical_id} refers to {need}, which the template does not define")


def _section(source: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = source.get(name, {})
    if not isinstance(section, Mapping) or not all(isinstance(body, Mapping) for body in section.values()):
        raise DeployError(f"template section {name} is not an object of objects")
    return section


def _definition(name: str, body: Any) -> Definition:
    if not isinstance(body, Mapping) or not isinstance(body.get("Type"), str):
        raise DeployError(f"resource {name} has no Type")
    where = f"resource {name} ({body['Type']}): attribute"
    _only(body, _RESOURCE_PARTS, where)
    depends_on = body.get("DependsOn", [])
    deletion = body.get("DeletionPolicy", "Delete")
    replace = body.get("UpdateReplacePolicy", "Delete")
    _only({deletion: None}, _DELETION_POLICIES, f"{where} DeletionPolicy")
    _only({replace: None}, _REPLACE_POLICIES, f"{where} UpdateReplacePolicy")
    return Definition(
        logical_id=name,
        type_name=body["Type"],
        properties=body.get("Properties", {}),
        condition=body.get("Condition"),
        depends_on=(depends_on,) if isinstance(depends_on, str) else tuple(depends_on),
        deletion_policy=deletion,
        replace_policy=replace,
        metadata=body.get("Metadata"),
    )


def _output(name: str, body: Any) -> OutputDefinition:
    if not isinstance(body, Mapping) or "Value" not in body:
        raise DeployError(f"output {name} has no Value")
    _only(body, _OUTPUT_PARTS, f"output {name}: attribute")
    export = body.get("Export")
    if export is not None:
        _only(export, frozenset({"Name"}), f"output {name}: export attribute")
    return OutputDefinition(
        name=name,
        value=body["Value"],
        export=None if export is None else export["Name"],
        condition=body.get("Condition"),
    )


def _only(body: Mapping[str, Any], known: frozenset[str], what: str) -> None:
    unknown = sorted(key for key in body if key not in known)
    if unknown:
        raise DeployError(f"{what} {', '.join(unknown)} is not supported")
