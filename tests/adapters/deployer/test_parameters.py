"""Stack parameters: defaults, constraints, lists, SSM."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.errors import DeployError
from opentrail.local.deployer.parameters import parameter_values


def stored(name: str) -> str:
    return {"/list": "x, y"}.get(name, f"value of {name}")


@pytest.mark.parametrize(
    ("declared", "given", "expected"),
    [
        ({"Type": "String", "Default": "d"}, None, "d"),
        ({"Type": "String", "Default": "d"}, "g", "g"),
        ({"Type": "Number", "Default": 300}, None, "300"),
        ({"Type": "CommaDelimitedList"}, "a, b", ["a", "b"]),
        ({"Type": "List<Number>"}, "1,2", ["1", "2"]),
        ({"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/name"}, None, "value of /name"),
        ({"Type": "AWS::SSM::Parameter::Value<List<String>>"}, "/list", ["x", "y"]),
    ],
)
def test_value(declared: dict[str, Any], given: str | None, expected: Any) -> None:
    values = parameter_values({"P": declared}, {} if given is None else {"P": given}, ssm=stored)

    assert values == {"P": expected}


@pytest.mark.parametrize(
    ("declared", "given", "why"),
    [
        ({"Type": "String"}, {}, "P has no value"),
        ({"Type": "String", "Default": ""}, {"Q": "1"}, "Q is not declared"),
        ({"Type": "Number"}, {"P": "many"}, "'many' is not a number"),
        ({"Type": "Number", "MinValue": 60}, {"P": "59"}, "59 is below 60"),
        ({"Type": "Number", "MaxValue": "300"}, {"P": "301"}, "301 is above 300"),
        ({"Type": "String", "AllowedValues": ["a", "b"]}, {"P": "c"}, "'c' is not one of a, b"),
        (
            {"Type": "String", "AllowedPattern": "[a-z]+", "ConstraintDescription": "letters"},
            {"P": "a1"},
            r"does not match \[a-z\]\+ \(letters\)",
        ),
        ({"Type": "String", "MinLength": "2"}, {"P": "x"}, "has 1 characters"),
        ({"Type": "String", "MaxLength": 2}, {"P": "xyz"}, "has 3 characters"),
        ({"Type": "AWS::EC2::VPC::Id"}, {"P": "vpc-1"}, "type AWS::EC2::VPC::Id is not supported"),
        ({"Type": "String", "Secret": True}, {"P": "x"}, "Secret is not supported"),
    ],
)
def test_value_is_refused(declared: dict[str, Any], given: dict[str, str], why: str) -> None:
    with pytest.raises(DeployError, match=why):
        parameter_values({"P": declared}, given, ssm=stored)


def test_every_problem_is_reported_at_once() -> None:
    declared = {"P": {"Type": "String"}, "Q": {"Type": "Number"}}

    with pytest.raises(DeployError, match="R is not declared.*P has no value.*'x' is not a number"):
        parameter_values(declared, {"Q": "x", "R": "1"}, ssm=stored)
