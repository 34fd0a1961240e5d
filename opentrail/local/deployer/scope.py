"""What the names in one stack's template mean while it is being deployed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opentrail.errors import DeployError
from opentrail.local.deployer.intrinsics import resolve, truth
from opentrail.local.deployer.state import Made, StackStore
from opentrail.local.deployer.template import Template

_URL_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}


@dataclass(slots=True, kw_only=True)
class StackScope:
    """The ``Scope`` of one deployment: parameters, resources made so far, exports of other stacks."""

    template: Template
    parameters: Mapping[str, str | list[str]]
    account: str
    region: str
    partition: str
    stack_name: str
    stack_id: str
    store: StackStore
    made: dict[str, Made] = field(default_factory=dict)  # by logical id; grows as resources are made
    imports: set[str] = field(default_factory=set)  # export names used so far
    _outcomes: dict[str, bool] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)  # conditions being evaluated, to notice a circle

    def ref(self, name: str) -> Any:
        """Return a parameter, a pseudo parameter or a resource's physical id."""
        if name in self.parameters:
            return self.parameters[name]
        if name.startswith("AWS::"):
            return self._pseudo(name)
        return self._made(name).physical_id

    def attribute(self, logical_id: str, name: str) -> Any:
        """Return an attribute of a resource already made."""
        attributes = self._made(logical_id).attributes
        if name not in attributes:
            type_name = self.template.resources[logical_id].type_name
            raise DeployError(f"{logical_id} ({type_name}): attribute {name} is not supported")
        return attributes[name]

    def condition(self, name: str) -> bool:
        """Return the outcome of a condition; each is evaluated once."""
        if name not in self.template.conditions:
            raise DeployError(f"condition {name} is not defined")
        if name in self._open:
            raise DeployError(f"condition {name} refers to itself")
        if name not in self._outcomes:
            self._open.add(name)
            self._outcomes[name] = truth(self.template.conditions[name], self)
            self._open.discard(name)
        return self._outcomes[name]

    def mapping(self, name: str, first: str, second: str) -> Any:
        """Return one value of the ``Mappings`` section."""
        try:
            return self.template.mappings[name][first][second]
        except (KeyError, TypeError):
            raise DeployError(f"Fn::FindInMap: there is no {name}.{first}.{second}") from None

    def imported(self, name: str) -> str:
        """Return what another stack exports, and remember that this stack uses it."""
        found = self.store.export(name)
        if found is None or found[0].name == self.stack_name:
            raise DeployError(f"no other stack exports {name}")
        self.imports.add(name)
        return found[1]

    def active(self, condition: str | None) -> bool:
        """Return whether a resource or output with this condition is part of the stack."""
        return condition is None or self.condition(condition)

    def check_rules(self) -> None:
        """Evaluate the template's ``Rules``.

        Raises:
            DeployError: an assertion does not hold; the message is the template's own.
        """
        for name, rule in self.template.rules.items():
            if "RuleCondition" in rule and not truth(rule["RuleCondition"], self):
                continue
            for assertion in rule["Assertions"]:
                if not truth(assertion["Assert"], self):
                    raise DeployError(f"rule {name}: {assertion.get('AssertDescription', 'does not hold')}")

    def outputs(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the outputs by name, and the exported ones by export name."""
        outputs: dict[str, str] = {}
        exports: dict[str, str] = {}
        for name, output in self.template.outputs.items():
            if not self.active(output.condition):
                continue
            value = resolve(output.value, self)
            if not isinstance(value, str | int | float):
                raise DeployError(f"output {name} is {value!r}, not text")
            outputs[name] = str(value)
            if output.export is not None:
                exports[str(resolve(output.export, self))] = outputs[name]
        return outputs, exports

    def _pseudo(self, name: str) -> Any:
        values = {
            "AWS::AccountId": self.account,
            "AWS::NotificationARNs": [],
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::StackId": self.stack_id,
            "AWS::StackName": self.stack_name,
            "AWS::URLSuffix": _URL_SUFFIXES.get(self.partition, "amazonaws.com"),
        }
        if name not in values:
            raise DeployError(f"pseudo parameter {name} is not supported")
        return values[name]

    def _made(self, logical_id: str) -> Made:
        if logical_id not in self.made:
            raise DeployError(f"{logical_id} is referred to, but is no resource of this stack now")
        return self.made[logical_id]
