"""CreateStack, UpdateStack, DeleteStack and what reads them, as the aws-cli meets them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from opentrail.testing.world import OpenTrail
from tests.adapters.cloudformation.conftest import QUEUE, queue, status, template


def refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    """Return code and message of a call that is refused."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_stack_is_made_shown_and_deleted(api: Any, world: OpenTrail) -> None:
    outputs = {"Url": {"Value": {"Ref": "It"}, "Description": "where", "Export": {"Name": "shared-url"}}}
    body = template({"It": QUEUE}, Outputs=outputs, Description="one queue")

    api.create_stack(StackName="one", TemplateBody=body, Tags=[{"Key": "team", "Value": "a"}])

    (stack,) = api.describe_stacks(StackName="one")["Stacks"]
    assert (stack["StackStatus"], stack["Description"]) == ("CREATE_COMPLETE", "one queue")
    assert stack["Tags"] == [{"Key": "team", "Value": "a"}]
    (output,) = stack["Outputs"]
    assert output["ExportName"] == "shared-url"
    assert output["OutputValue"] in world.client("sqs").list_queues()["QueueUrls"]
    (resource,) = api.describe_stack_resources(StackName="one")["StackResources"]
    assert (resource["LogicalResourceId"], resource["PhysicalResourceId"]) == ("It", output["OutputValue"])
    assert api.get_template(StackName="one")["TemplateBody"]["Description"] == "one queue"
    exports = {one["Name"]: one["Value"] for one in api.list_exports()["Exports"]}
    assert exports["shared-url"] == output["OutputValue"]

    api.delete_stack(StackName="one")

    code, message = refusal(api.describe_stacks, StackName="one")
    assert (code, message) == ("ValidationError", "Stack with id one does not exist")
    assert api.describe_stacks(StackName=stack["StackId"])["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"
    assert output["OutputValue"] not in world.client("sqs").list_queues().get("QueueUrls", [])


def test_yaml_with_short_forms_is_a_template(api: Any, world: OpenTrail) -> None:
    body = """
      Parameters:
        Seconds: {Type: Number, Default: 45}
      Resources:
        It:
          Type: AWS::SQS::Queue
          Properties:
            QueueName: !Sub "${AWS::StackName}-q"
            VisibilityTimeout: !Ref Seconds
      Outputs:
        Arn: {Value: !GetAtt It.Arn}
    """

    api.create_stack(StackName="yaml", TemplateBody=body)

    (stack,) = api.describe_stacks(StackName="yaml")["Stacks"]
    assert stack["Outputs"][0]["OutputValue"] == "arn:aws:sqs:us-east-1:123456789012:yaml-q"
    assert stack["Parameters"] == [{"ParameterKey": "Seconds", "ParameterValue": "45"}]


def test_an_update_is_in_place_and_one_without_changes_is_refused(api: Any, world: OpenTrail) -> None:
    api.create_stack(StackName="changing", TemplateBody=template({"It": queue(VisibilityTimeout=30)}))
    before = api.describe_stack_resources(StackName="changing")["StackResources"][0]["PhysicalResourceId"]
    changed = template({"It": queue(VisibilityTimeout=60)})

    api.update_stack(StackName="changing", TemplateBody=changed)

    assert status(api, "changing") == "UPDATE_COMPLETE"
    after = api.describe_stack_resources(StackName="changing")["StackResources"][0]["PhysicalResourceId"]
    assert after == before
    assert refusal(api.update_stack, StackName="changing", TemplateBody=changed) == (
        "ValidationError",
        "No updates are to be performed.",
    )


def test_a_failure_is_rolled_back_and_its_reason_is_in_the_events(api: Any) -> None:
    body = template({"Good": QUEUE, "Bad": {**queue(Colour="red"), "DependsOn": "Good"}})

    api.create_stack(StackName="failing", TemplateBody=body)

    assert status(api, "failing") == "ROLLBACK_COMPLETE"
    events = api.describe_stack_events(StackName="failing")["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"] == "CREATE_FAILED"]
    assert [one["LogicalResourceId"] for one in failed] == ["Bad"]
    assert "property Colour is not supported" in failed[0]["ResourceStatusReason"]
    assert len({one["OperationId"] for one in events}) == 1
    assert refusal(api.update_stack, StackName="failing", TemplateBody=template({"Good": QUEUE}))[0] == (
        "ValidationError"
    )


def test_an_export_in_use_keeps_its_stack(api: Any) -> None:
    exported = {"Url": {"Value": {"Ref": "It"}, "Export": {"Name": "used-url"}}}
    api.create_stack(StackName="exporter", TemplateBody=template({"It": QUEUE}, Outputs=exported))
    imported = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String"}}
    imported["Properties"]["Value"] = {"Fn::ImportValue": "used-url"}  # type: ignore[index]
    api.create_stack(StackName="importer", TemplateBody=template({"It": imported}))

    api.delete_stack(StackName="exporter")

    assert status(api, "exporter") == "CREATE_COMPLETE"
    (newest, *_) = api.describe_stack_events(StackName="exporter")["StackEvents"]
    assert "in use by importer" in newest["ResourceStatusReason"]
    assert api.list_imports(ExportName="used-url")["Imports"] == ["importer"]


def test_roles_need_the_callers_word(api: Any) -> None:
    trust: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}}
    body = template({"It": role})

    assert refusal(api.create_stack, StackName="roles", TemplateBody=body) == (
        "InsufficientCapabilitiesException",
        "Requires capabilities : [CAPABILITY_IAM]",
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"StackName": "1x", "TemplateBody": template({"It": QUEUE})}, "'stackName' failed to satisfy"),
        ({"StackName": "x"}, "Either Template URL or Template Body must be specified."),
        ({"StackName": "x", "TemplateBody": "{"}, "Template format error"),
        (
            {"StackName": "x", "TemplateBody": template({"It": QUEUE}), "DisableRollback": True},
            "not simulated",
        ),
        (
            {
                "StackName": "x",
                "TemplateBody": template({"It": QUEUE}, Parameters={"Size": {"Type": "String"}}),
            },
            "Parameters: [Size] must have values",
        ),
    ],
)
def test_a_malformed_call_makes_no_stack(api: Any, parameters: dict[str, Any], message: str) -> None:
    code, text = refusal(api.create_stack, **parameters)

    assert code == "ValidationError"
    assert message in text
    assert refusal(api.describe_stacks, StackName="x")[1] == "Stack with id x does not exist"


def test_a_protected_stack_stays(api: Any) -> None:
    body = template({"It": QUEUE})
    api.create_stack(StackName="safe", TemplateBody=body, EnableTerminationProtection=True)

    assert "TerminationProtection is enabled" in refusal(api.delete_stack, StackName="safe")[1]


def test_types_the_deployer_lacks_are_motos(api: Any) -> None:
    body = template({"It": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "web"}}})

    api.create_stack(StackName="elsewhere", TemplateBody=body)

    names = [one["StackName"] for one in api.describe_stacks()["Stacks"]]
    assert "elsewhere" in names
    assert "OpenTrailStorage" in names
    assert status(api, "elsewhere") == "CREATE_COMPLETE"


def test_what_a_stack_makes_is_recorded_as_made_for_the_caller(api: Any, world: OpenTrail) -> None:
    api.create_stack(StackName="recorded", TemplateBody=template({"It": QUEUE}))

    (asked,) = world.events("CreateStack")
    (made,) = world.events("CreateQueue")
    assert "invokedBy" not in asked["userIdentity"]
    assert made["userIdentity"] == {**asked["userIdentity"], "invokedBy": "cloudformation.amazonaws.com"}
    assert (made["sourceIPAddress"], made["userAgent"]) == ("cloudformation.amazonaws.com",) * 2


def test_a_role_that_cloudformation_takes_on_makes_the_resources(api: Any, world: OpenTrail) -> None:
    trust: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
    role = world.client("iam").create_role(RoleName="deployer", AssumeRolePolicyDocument=str(trust))["Role"]

    api.create_stack(StackName="by-role", TemplateBody=template({"It": QUEUE}), RoleARN=role["Arn"])

    (made,) = world.events("CreateQueue")
    identity = made["userIdentity"]
    assert identity["arn"] == "arn:aws:sts::123456789012:assumed-role/deployer/AWSCloudFormation"
    assert identity["invokedBy"] == "cloudformation.amazonaws.com"
