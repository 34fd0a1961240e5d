"""Conditions, parameters, mappings, rules and exports: what they make of a stack."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.errors import DeployError
from tests.adapters.deployer.conftest import ACCOUNT, REGION, Deployer, queues, resource

QUEUE = "AWS::SQS::Queue"


def test_condition_decides_whether_a_resource_and_an_output_exist(deployer: Deployer) -> None:
    sections: dict[str, Any] = {
        "Parameters": {"Stage": {"Type": "String", "Default": "dev"}},
        "Conditions": {"Production": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
        "Outputs": {"Name": {"Condition": "Production", "Value": {"Fn::GetAtt": ["Extra", "QueueName"]}}},
    }
    resources = {
        "Always": resource(QUEUE, QueueName="always"),
        "Extra": {**resource(QUEUE, QueueName="extra"), "Condition": "Production"},
    }

    assert deployer.deploy(resources, **sections).outputs == {}
    assert queues(deployer) == ["always"]
    assert deployer.deploy(resources, **sections, given={"Stage": "prod"}).outputs == {"Name": "extra"}
    assert queues(deployer) == ["always", "extra"]
    deployer.deploy(resources, **sections)
    assert queues(deployer) == ["always"]


def test_pseudo_parameters_and_mappings(deployer: Deployer) -> None:
    parts = ["AccountId", "Region", "Partition", "URLSuffix", "StackName"]
    value = {"Fn::Join": ["|", [{"Ref": f"AWS::{part}"} for part in parts]]}
    mapped = {"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "size"]}

    state = deployer.deploy(
        {"It": resource(QUEUE)},
        Mappings={"Sizes": {REGION: {"size": "big"}}},
        Outputs={
            "All": {"Value": value},
            "Mapped": {"Value": mapped},
            "Id": {"Value": {"Ref": "AWS::StackId"}},
        },
    )

    assert state.outputs["All"] == f"{ACCOUNT}|{REGION}|aws|amazonaws.com|Stack"
    assert state.outputs["Mapped"] == "big"
    assert state.outputs["Id"] == state.stack_id


def test_parameter_from_ssm(deployer: Deployer) -> None:
    deployer.clients("ssm").put_parameter(Name="/queue", Value="from-ssm", Type="String")
    declared = {"Name": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/queue"}}

    deployer.deploy({"It": resource(QUEUE, QueueName={"Ref": "Name"})}, Parameters=declared)

    assert queues(deployer) == ["from-ssm"]


def test_missing_ssm_parameter_is_named(deployer: Deployer) -> None:
    declared = {"Name": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/nothing"}}

    with pytest.raises(DeployError, match="SSM parameter /nothing: ParameterNotFound"):
        deployer.deploy({"It": resource(QUEUE)}, Parameters=declared)


@pytest.mark.parametrize(("version", "accepted"), [("5", False), ("6", True)])
def test_rule_of_the_cdk_about_its_bootstrap_version(
    deployer: Deployer, version: str, accepted: bool
) -> None:
    deployer.clients("ssm").put_parameter(Name="/version", Value=version, Type="String")
    old = {"Fn::Contains": [["1", "2", "3", "4", "5"], {"Ref": "Version"}]}
    sections: dict[str, Any] = {
        "Parameters": {"Version": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/version"}},
        "Rules": {"Check": {"Assertions": [{"Assert": {"Fn::Not": [old]}, "AssertDescription": "too old"}]}},
    }

    if accepted:
        assert deployer.deploy({"It": resource(QUEUE)}, **sections).status == "CREATE_COMPLETE"
    else:
        with pytest.raises(DeployError, match="rule Check: too old"):
            deployer.deploy({"It": resource(QUEUE)}, **sections)
        assert deployer.store.get("Stack") is None


def export(name: str) -> dict[str, Any]:
    """Return an ``Outputs`` section that exports the URL of ``Queue``."""
    return {"Url": {"Value": {"Ref": "Queue"}, "Export": {"Name": name}}}


def importing(name: str) -> dict[str, Any]:
    """Return resources that use an export."""
    return {
        "Value": resource("AWS::SSM::Parameter", Name="/url", Type="String", Value={"Fn::ImportValue": name})
    }


def test_export_reaches_another_stack(deployer: Deployer) -> None:
    maker = deployer.deploy({"Queue": resource(QUEUE)}, "Maker", Outputs=export("the-url"))

    deployer.deploy(importing("the-url"), "User")

    value = deployer.clients("ssm").get_parameter(Name="/url")["Parameter"]["Value"]
    assert value == maker.outputs["Url"] == deployer.physical_id(maker, "Queue")


def test_export_nobody_makes_is_refused(deployer: Deployer) -> None:
    with pytest.raises(DeployError, match="no other stack exports the-url"):
        deployer.deploy(importing("the-url"), "User")


def test_export_belongs_to_one_stack(deployer: Deployer) -> None:
    deployer.deploy({"Queue": resource(QUEUE)}, "One", Outputs=export("the-url"))

    with pytest.raises(DeployError, match="export the-url already belongs to stack One"):
        deployer.deploy({"Queue": resource(QUEUE)}, "Two", Outputs=export("the-url"))

    assert len(queues(deployer)) == 1


def test_export_in_use_can_neither_change_nor_go(deployer: Deployer) -> None:
    deployer.deploy({"Queue": resource(QUEUE, QueueName="one")}, "Maker", Outputs=export("the-url"))
    deployer.deploy(importing("the-url"), "User")

    with pytest.raises(DeployError, match="export the-url cannot change: it is in use by User"):
        deployer.deploy({"Queue": resource(QUEUE, QueueName="two")}, "Maker", Outputs=export("the-url"))
    with pytest.raises(DeployError, match="stack Maker cannot be deleted: export the-url is in use by User"):
        deployer.engine.delete("Maker")

    assert queues(deployer) == ["one"]
    deployer.engine.delete("User")
    deployer.engine.delete("Maker")
    assert queues(deployer) == []


def outputs(value: Any) -> dict[str, Any]:
    """Return an ``Outputs`` section with one value."""
    return {"Value": {"Value": value}}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"Fn::GetAtt": ["It", "Colour"]}, r"It \(AWS::SQS::Queue\): attribute Colour is not supported"),
        ({"Fn::FindInMap": ["Sizes", "a", "b"]}, "there is no Sizes.a.b"),
        ({"Ref": "AWS::Moon"}, "pseudo parameter AWS::Moon is not supported"),
        ({"Fn::If": ["Nowhere", 1, 2]}, "condition Nowhere is not defined"),
        ({"Fn::If": ["Circle", 1, 2]}, "condition Circle refers to itself"),
        ({"Ref": "Absent"}, "Absent is referred to, but is no resource of this stack now"),
        ({"Ref": "AWS::NotificationARNs"}, r"output Value is \[\], not text"),
        ({"Fn::ImportValue": "own"}, "no other stack exports own"),
    ],
)
def test_name_that_means_nothing_fails_the_stack(deployer: Deployer, value: Any, why: str) -> None:
    never = {"Fn::Equals": ["a", "b"]}

    with pytest.raises(DeployError, match=why):
        deployer.deploy(
            {"It": resource(QUEUE), "Absent": {**resource(QUEUE), "Condition": "Never"}},
            Conditions={"Never": never, "Circle": {"Fn::Not": [{"Condition": "Circle"}]}},
            Outputs=outputs(value),
        )

    assert queues(deployer) == []


def test_rule_with_a_condition_counts_only_when_it_holds(deployer: Deployer) -> None:
    def deploy(stage: str) -> str:
        never = {"Assert": {"Fn::Equals": ["a", "b"]}, "AssertDescription": "not in production"}
        production = {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}
        return deployer.deploy(
            {"It": resource(QUEUE)},
            Parameters={"Stage": {"Type": "String"}},
            Rules={"Check": {"RuleCondition": production, "Assertions": [never]}},
            given={"Stage": stage},
        ).status

    assert deploy("dev") == "CREATE_COMPLETE"
    with pytest.raises(DeployError, match="rule Check: not in production"):
        deploy("prod")
