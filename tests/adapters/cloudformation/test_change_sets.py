"""Change sets, in the words the CDK CLI looks for."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.adapters.cloudformation.conftest import QUEUE, queue, status, template

NOTHING = "The submitted information didn't contain changes."


def make(api: Any, stack: str, name: str, kind: str, resources: dict[str, Any], **more: Any) -> Any:
    """Create a change set and return its description."""
    api.create_change_set(
        StackName=stack,
        ChangeSetName=name,
        ChangeSetType=kind,
        TemplateBody=template(resources, **more.pop("sections", {})),
        **more,
    )
    return api.describe_change_set(StackName=stack, ChangeSetName=name, IncludePropertyValues=True)


def test_a_new_stack_waits_in_review_until_its_change_set_is_executed(api: Any) -> None:
    described = make(api, "fresh", "first", "CREATE", {"It": QUEUE})

    assert (described["Status"], described["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    (change,) = described["Changes"]
    assert change["ResourceChange"]["Action"] == "Add"
    assert status(api, "fresh") == "REVIEW_IN_PROGRESS"

    api.execute_change_set(StackName="fresh", ChangeSetName="first")

    assert status(api, "fresh") == "CREATE_COMPLETE"


def test_an_update_names_properties_values_and_replacement(api: Any) -> None:
    make(api, "updated", "first", "CREATE", {"It": queue(QueueName="a", VisibilityTimeout=30)})
    api.execute_change_set(StackName="updated", ChangeSetName="first")

    described = make(api, "updated", "next", "UPDATE", {"It": queue(QueueName="b", VisibilityTimeout=31)})

    (change,) = (one["ResourceChange"] for one in described["Changes"])
    assert (change["Action"], change["Replacement"]) == ("Modify", "True")
    targets = {one["Target"]["Name"]: one["Target"] for one in change["Details"]}
    assert targets["QueueName"]["RequiresRecreation"] == "Always"
    assert (targets["VisibilityTimeout"]["BeforeValue"], targets["VisibilityTimeout"]["AfterValue"]) == (
        "30",
        "31",
    )


def test_one_without_changes_fails_and_cannot_be_executed(api: Any) -> None:
    make(api, "same", "first", "CREATE", {"It": QUEUE})
    api.execute_change_set(StackName="same", ChangeSetName="first")

    described = make(api, "same", "again", "UPDATE", {"It": QUEUE})

    assert described["Status"] == "FAILED"
    assert described["StatusReason"].startswith(NOTHING)
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        api.execute_change_set(StackName="same", ChangeSetName="again")


def test_previous_parameters_are_kept(api: Any) -> None:
    sections = {"Parameters": {"Seconds": {"Type": "Number", "Default": 30}}}
    resources = {"It": queue(VisibilityTimeout={"Ref": "Seconds"})}
    given = [{"ParameterKey": "Seconds", "ParameterValue": "45"}]
    make(api, "kept", "first", "CREATE", resources, sections=sections, Parameters=given)
    api.execute_change_set(StackName="kept", ChangeSetName="first")

    previous = [{"ParameterKey": "Seconds", "UsePreviousValue": True}]
    described = make(api, "kept", "again", "UPDATE", resources, sections=sections, Parameters=previous)

    assert described["StatusReason"].startswith(NOTHING)
    assert described["Parameters"] == [{"ParameterKey": "Seconds", "ParameterValue": "45"}]


def test_a_failed_execution_is_rolled_back(api: Any) -> None:
    make(api, "broken", "first", "CREATE", {"It": queue(Colour="red")})

    api.execute_change_set(StackName="broken", ChangeSetName="first")

    assert status(api, "broken") == "ROLLBACK_COMPLETE"


def test_a_template_in_s3_is_read_by_path_or_host(api: Any, world: Any) -> None:
    s3 = world.client("s3")
    s3.create_bucket(Bucket="template-store")
    s3.put_object(Bucket="template-store", Key="a b.json", Body=template({"It": QUEUE}).encode())

    for number, url in enumerate(
        (
            "https://s3.us-east-1.amazonaws.com/template-store/a%20b.json",
            "https://template-store.s3.us-east-1.amazonaws.com/a%20b.json",
            "http://127.0.0.1:4566/template-store/a%20b.json",
        )
    ):
        api.create_stack(StackName=f"from-s3-{number}", TemplateURL=url)
        assert status(api, f"from-s3-{number}") == "CREATE_COMPLETE"


def test_an_unknown_one_is_not_found_and_its_deletion_is_no_error(api: Any) -> None:
    make(api, "asked", "first", "CREATE", {"It": QUEUE})

    api.delete_change_set(StackName="asked", ChangeSetName="never")

    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        api.describe_change_set(StackName="asked", ChangeSetName="never")
