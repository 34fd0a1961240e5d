"""What a deployment would change, told before anything is touched."""

from __future__ import annotations

from typing import Any

from opentrail.local.deployer.plan import UNKNOWN, Change, Plan
from tests.adapters.deployer.conftest import Deployer, queues, resource

QUEUE = "AWS::SQS::Queue"
TOPIC = "AWS::SNS::Topic"


def plan(deployer: Deployer, resources: dict[str, Any], **sections: Any) -> Plan:
    return deployer.engine.plan("Stack", {"Resources": resources, **sections})


def test_of_a_new_stack_adds_everything_and_makes_nothing(deployer: Deployer) -> None:
    main = resource(QUEUE, RedrivePolicy={"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}})

    found = plan(deployer, {"Main": main, "Dead": resource(QUEUE)})

    assert [(one.action, one.logical_id) for one in found.changes] == [("Add", "Dead"), ("Add", "Main")]
    assert queues(deployer) == []
    assert deployer.store.get("Stack") is None


def test_of_the_same_template_is_empty(deployer: Deployer) -> None:
    resources = {"It": resource(QUEUE, VisibilityTimeout=30)}
    outputs = {"Url": {"Value": {"Ref": "It"}}}
    deployer.deploy(resources, Outputs=outputs)

    assert plan(deployer, resources, Outputs=outputs).is_empty


def test_names_the_property_that_changes_with_both_values(deployer: Deployer) -> None:
    url = deployer.one(QUEUE, VisibilityTimeout=30)

    (change,) = plan(deployer, {"It": resource(QUEUE, VisibilityTimeout=60)}).changes

    assert (change.action, change.replacement, change.physical_id) == ("Modify", "False", url)
    (one,) = change.properties
    assert (one.name, one.recreates, one.before, one.after) == ("VisibilityTimeout", False, "30", "60")


def test_sees_a_replacement_through_to_what_refers_to_it(deployer: Deployer) -> None:
    def resources(name: str) -> dict[str, Any]:
        dead = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 3}
        return {"Dead": resource(QUEUE, QueueName=name), "Main": resource(QUEUE, RedrivePolicy=dead)}

    deployer.deploy(resources("first"))

    dead, main = plan(deployer, resources("second")).changes

    assert (dead.logical_id, dead.replacement) == ("Dead", "True")
    assert (main.logical_id, main.replacement) == ("Main", "False")
    assert UNKNOWN in str(main.properties[0].after)


def test_removal_says_whether_the_resource_stays(deployer: Deployer) -> None:
    kept = {**resource(QUEUE), "DeletionPolicy": "Retain"}
    deployer.deploy({"Kept": kept, "Gone": resource(QUEUE), "It": resource(TOPIC)})

    changes = plan(deployer, {"It": resource(TOPIC)}).changes

    assert {(one.logical_id, one.action, one.keep) for one in changes} == {
        ("Kept", "Remove", True),
        ("Gone", "Remove", False),
    }


def test_attributes_and_outputs_count_as_changes(deployer: Deployer) -> None:
    deployer.deploy({"It": resource(QUEUE)})

    kept = plan(deployer, {"It": {**resource(QUEUE), "DeletionPolicy": "Retain"}})
    shown = plan(deployer, {"It": resource(QUEUE)}, Outputs={"Url": {"Value": {"Ref": "It"}}})

    assert [one.scope for one in kept.changes] == [("DeletionPolicy",)]
    assert (shown.changes, shown.outputs_change) == ((), True)


def test_what_cannot_be_computed_yet_is_conditional(deployer: Deployer) -> None:
    part = {"Fn::Select": [5, {"Fn::Split": [":", {"Fn::GetAtt": ["Other", "Arn"]}]}]}
    deployer.deploy({"It": resource(TOPIC, DisplayName="before")})

    changes = plan(deployer, {"It": resource(TOPIC, DisplayName=part), "Other": resource(QUEUE)}).changes

    modified = {one.logical_id: one for one in changes}["It"]
    assert modified == Change(
        action="Modify",
        logical_id="It",
        type_name=TOPIC,
        physical_id=modified.physical_id,
        replacement="Conditional",
        scope=("Properties",),
    )
