"""The structure of a template: what is read, and that nothing else is passed over."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.errors import DeployError
from opentrail.local.deployer.template import parse_template

QUEUE = {"Type": "AWS::SQS::Queue"}


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ({}, "no Resources"),
        ({"Resources": {}}, "no Resources"),
        ({"Resources": {"A": QUEUE}, "Transform": "AWS::Serverless"}, "template section Transform"),
        ({"Resources": {"A": QUEUE}, "Hooks": {}}, "template section Hooks"),
        ({"Resources": {"A": {"Properties": {}}}}, "A has no Type"),
        (
            {"Resources": {"A": {**QUEUE, "CreationPolicy": {}}}},
            r"A \(AWS::SQS::Queue\): attribute CreationPolicy",
        ),
        ({"Resources": {"A": {**QUEUE, "DeletionPolicy": "Snapshot"}}}, "DeletionPolicy Snapshot"),
        ({"Resources": {"A": {**QUEUE, "UpdateReplacePolicy": "Snapshot"}}}, "UpdateReplacePolicy Snapshot"),
        ({"Resources": {"A": {**QUEUE, "DependsOn": "B"}}}, "A refers to B"),
        ({"Resources": {"A": {**QUEUE, "Properties": {"x": {"Ref": "B"}}}}}, "A refers to B"),
        ({"Resources": {"A": {**QUEUE, "Condition": "C"}}}, "condition C is not defined"),
        ({"Resources": {"A": QUEUE}, "Outputs": {"O": {}}}, "output O has no Value"),
        (
            {"Resources": {"A": QUEUE}, "Outputs": {"O": {"Value": 1, "Extra": 1}}},
            "output O: attribute Extra",
        ),
        ({"Resources": {"A": QUEUE}, "Parameters": []}, "section Parameters is not an object"),
    ],
)
def test_template_is_refused(template: dict[str, Any], why: str) -> None:
    with pytest.raises(DeployError, match=why):
        parse_template(template)


def test_each_resource_comes_after_what_it_needs() -> None:
    resources = {
        "Last": {**QUEUE, "DependsOn": ["Middle"]},
        "Middle": {**QUEUE, "Properties": {"x": {"Fn::Sub": "${First.Arn}"}}},
        "First": QUEUE,
    }

    ordered = parse_template({"Resources": resources}).ordered()

    assert [one.logical_id for one in ordered] == ["First", "Middle", "Last"]


def test_circle_is_named() -> None:
    resources = {"A": {**QUEUE, "DependsOn": "B"}, "B": {**QUEUE, "DependsOn": "A"}}

    with pytest.raises(DeployError, match="circular dependency between resources: (A -> B -> A|B -> A -> B)"):
        parse_template({"Resources": resources}).ordered()
