"""Stacks: creation, update, replacement, removal, rollback, exports, and the events of each."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from opentrail.errors import DeployError
from opentrail.local.deployer import StackStore
from tests.adapters.deployer.conftest import ACCOUNT, REGION, Deployer, resource

QUEUE = "AWS::SQS::Queue"
TOPIC = "AWS::SNS::Topic"
# S3 refuses this name, so a stack with it fails after whatever comes before it.
BROKEN = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "ab"}}


def queues(deployer: Deployer) -> list[str]:
    """Return the names of the queues there are."""
    urls = deployer.clients("sqs").list_queues().get("QueueUrls", [])
    return sorted(url.rpartition("/")[2] for url in urls)


def timeout(deployer: Deployer, url: str) -> str:
    """Return a queue's visibility timeout in seconds."""
    answer = deployer.clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return str(answer["Attributes"]["VisibilityTimeout"])


def test_stack_is_created_in_dependency_order(deployer: Deployer) -> None:
    main = resource(
        QUEUE, RedrivePolicy={"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 3}
    )

    state = deployer.deploy({"Main": main, "Dead": resource(QUEUE)})

    assert state.status == "CREATE_COMPLETE"
    assert deployer.statuses() == [
        "Stack: CREATE_IN_PROGRESS",
        "Dead: CREATE_IN_PROGRESS",
        "Dead: CREATE_COMPLETE",
        "Main: CREATE_IN_PROGRESS",
        "Main: CREATE_COMPLETE",
        "Stack: CREATE_COMPLETE",
    ]
    times = [event.time for event in state.events]
    assert times == sorted(times)
    assert len({event.event_id for event in state.events}) == len(state.events)


def test_same_template_again_changes_nothing(deployer: Deployer) -> None:
    resources = {"It": resource(QUEUE)}
    first = deployer.physical_id(deployer.deploy(resources), "It")

    state = deployer.deploy(resources)

    assert state.status == "UPDATE_COMPLETE"
    assert deployer.physical_id(state, "It") == first
    assert deployer.statuses()[4:] == ["Stack: UPDATE_IN_PROGRESS", "Stack: UPDATE_COMPLETE"]


def test_update_happens_in_place(deployer: Deployer) -> None:
    url = deployer.one(QUEUE, VisibilityTimeout=30)

    changed = deployer.one(QUEUE, VisibilityTimeout="60")

    assert changed == url
    assert timeout(deployer, url) == "60"
    assert "It: UPDATE_COMPLETE" in deployer.statuses()


def test_replacement_reaches_those_who_refer_to_it(deployer: Deployer) -> None:
    def resources(name: str) -> dict[str, Any]:
        arn = {"Fn::GetAtt": ["Queue", "Arn"]}
        subscription = resource(
            "AWS::SNS::Subscription", TopicArn={"Ref": "Topic"}, Protocol="sqs", Endpoint=arn
        )
        return {"Queue": resource(QUEUE, QueueName=name), "Topic": resource(TOPIC), "Sub": subscription}

    deployer.deploy(resources("one"))

    deployer.deploy(resources("two"))

    assert queues(deployer) == ["two"]
    found = deployer.clients("sns").list_subscriptions()["Subscriptions"]
    assert [one["Endpoint"] for one in found] == [f"arn:aws:sqs:{REGION}:{ACCOUNT}:two"]


def test_replaced_resources_go_only_after_everything_succeeded(deployer: Deployer) -> None:
    deployer.deploy({"Queue": resource(QUEUE, QueueName="one")})

    with pytest.raises(DeployError):
        deployer.deploy(
            {"Queue": resource(QUEUE, QueueName="two"), "Broken": {**BROKEN, "DependsOn": "Queue"}}
        )

    assert queues(deployer) == ["one"]
    state = deployer.store.get("Stack")
    assert state is not None
    assert state.status == "UPDATE_ROLLBACK_COMPLETE"
    assert deployer.physical_id(state, "Queue").endswith("/one")


def test_resource_no_longer_in_the_template_is_deleted(deployer: Deployer) -> None:
    deployer.deploy({"A": resource(QUEUE, QueueName="a"), "B": resource(QUEUE, QueueName="b")})

    state = deployer.deploy({"A": resource(QUEUE, QueueName="a")})

    assert queues(deployer) == ["a"]
    assert list(state.resources) == ["A"]


def test_failed_creation_leaves_nothing(deployer: Deployer) -> None:
    resources = {
        "Queue": resource(QUEUE),
        "Topic": resource(TOPIC),
        "Broken": {**BROKEN, "DependsOn": ["Queue", "Topic"]},
    }

    with pytest.raises(DeployError, match=r"stack Stack: Broken \(AWS::S3::Bucket\)"):
        deployer.deploy(resources)

    assert queues(deployer) == []
    assert deployer.clients("sns").list_topics()["Topics"] == []
    state = deployer.store.get("Stack")
    assert state is not None
    assert state.status == "ROLLBACK_COMPLETE"
    assert state.resources == {}
    assert deployer.statuses()[-8:] == [
        "Broken: CREATE_IN_PROGRESS",
        "Broken: CREATE_FAILED",
        "Stack: ROLLBACK_IN_PROGRESS",
        "Topic: DELETE_IN_PROGRESS",
        "Topic: DELETE_COMPLETE",
        "Queue: DELETE_IN_PROGRESS",
        "Queue: DELETE_COMPLETE",
        "Stack: ROLLBACK_COMPLETE",
    ]


def test_resource_that_failed_half_made_is_deleted_too(deployer: Deployer) -> None:
    bucket = resource(
        "AWS::S3::Bucket", BucketName="half-made", LoggingConfiguration={"DestinationBucketName": "nowhere"}
    )

    with pytest.raises(DeployError, match="InvalidTargetBucketForLogging"):
        deployer.deploy({"Bucket": bucket})

    assert deployer.clients("s3").list_buckets()["Buckets"] == []


def test_failed_update_is_undone(deployer: Deployer) -> None:
    before = {"Old": resource(QUEUE, VisibilityTimeout=30, Tags=[{"Key": "k", "Value": "old"}])}
    url = deployer.physical_id(deployer.deploy(before), "Old")
    after = {
        "Old": resource(QUEUE, VisibilityTimeout=60, DelaySeconds=5, Tags=[{"Key": "n", "Value": "new"}]),
        "New": resource(QUEUE),
        "Broken": {**BROKEN, "DependsOn": ["Old", "New"]},
    }

    with pytest.raises(DeployError):
        deployer.deploy(after)

    assert queues(deployer) == [url.rpartition("/")[2]]
    client = deployer.clients("sqs")
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (attributes["VisibilityTimeout"], attributes["DelaySeconds"]) == ("30", "0")
    assert client.list_queue_tags(QueueUrl=url)["Tags"] == {"k": "old"}
    assert deployer.deploy(before).status == "UPDATE_COMPLETE"


def test_stack_whose_creation_failed_can_be_deployed_again(deployer: Deployer) -> None:
    with pytest.raises(DeployError):
        deployer.deploy({"Broken": BROKEN})

    state = deployer.deploy({"Queue": resource(QUEUE)})

    assert state.status == "CREATE_COMPLETE"


def test_unknown_type_is_refused_before_anything_is_touched(deployer: Deployer) -> None:
    resources = {"Queue": resource(QUEUE), "Host": resource("AWS::EC2::Instance")}

    with pytest.raises(
        DeployError, match=r"stack Stack: resource types not supported: Host \(AWS::EC2::Instance\)"
    ):
        deployer.deploy(resources)

    assert deployer.store.get("Stack") is None
    assert queues(deployer) == []


def test_unknown_property_names_stack_resource_type_and_property(deployer: Deployer) -> None:
    with pytest.raises(
        DeployError, match=r"stack Stack: It \(AWS::SQS::Queue\): property Colour is not supported"
    ):
        deployer.one(QUEUE, Colour="red")

    assert queues(deployer) == []


def test_type_of_a_resource_cannot_change(deployer: Deployer) -> None:
    deployer.one(QUEUE)

    with pytest.raises(DeployError, match="its type was AWS::SQS::Queue"):
        deployer.one(TOPIC)


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


def test_deleted_stack_leaves_nothing_but_its_events(deployer: Deployer) -> None:
    state = deployer.deploy({"Queue": resource(QUEUE), "Topic": {**resource(TOPIC), "DependsOn": "Queue"}})

    deployer.engine.delete("Stack")

    assert queues(deployer) == []
    assert deployer.clients("sns").list_topics()["Topics"] == []
    assert deployer.store.get("Stack") is None
    kept = deployer.store.get(state.stack_id)
    assert kept is state
    deleted = [event.logical_id for event in kept.events if event.status == "DELETE_COMPLETE"]
    assert deleted == ["Topic", "Queue", "Stack"]


def test_deleting_a_stack_that_is_not_there_is_no_error(deployer: Deployer) -> None:
    deployer.engine.delete("Nothing")

    assert list(deployer.store) == []


def test_resource_somebody_else_deleted_counts_as_deleted(deployer: Deployer) -> None:
    url = deployer.one(QUEUE)
    deployer.clients("sqs").delete_queue(QueueUrl=url)

    deployer.engine.delete("Stack")

    assert deployer.store.get("Stack") is None


def test_stack_that_cannot_be_deleted_says_why_and_can_be_tried_again(deployer: Deployer) -> None:
    s3 = deployer.clients("s3")
    deployer.deploy(
        {"Bucket": resource("AWS::S3::Bucket", BucketName="full-bucket"), "Queue": resource(QUEUE)}
    )
    s3.put_object(Bucket="full-bucket", Key="k", Body=b"")

    with pytest.raises(DeployError, match=r"Bucket \(AWS::S3::Bucket\): .*BucketNotEmpty"):
        deployer.engine.delete("Stack")

    state = deployer.store.get("Stack")
    assert state is not None
    assert (state.status, list(state.resources)) == ("DELETE_FAILED", ["Bucket"])
    with pytest.raises(DeployError, match="it is DELETE_FAILED .* delete it first"):
        deployer.deploy({"Queue": resource(QUEUE)})
    s3.delete_object(Bucket="full-bucket", Key="k")
    deployer.engine.delete("Stack")
    assert deployer.store.get("Stack") is None


def test_retained_resource_outlives_removal_and_stack(deployer: Deployer) -> None:
    kept = {**resource(QUEUE, QueueName="kept"), "DeletionPolicy": "Retain"}
    deployer.deploy({"Kept": kept, "Other": resource(QUEUE, QueueName="other")})

    deployer.deploy({"Other": resource(QUEUE, QueueName="other")})

    assert queues(deployer) == ["kept", "other"]
    assert "Kept: DELETE_SKIPPED" in deployer.statuses()


def test_retained_resource_outlives_its_replacement(deployer: Deployer) -> None:
    policy = {"UpdateReplacePolicy": "Retain"}
    deployer.deploy({"It": {**resource(QUEUE, QueueName="one"), **policy}})

    deployer.deploy({"It": {**resource(QUEUE, QueueName="two"), **policy}})

    assert queues(deployer) == ["one", "two"]


@pytest.mark.parametrize(
    ("policy", "left"), [("Retain", ["it"]), ("RetainExceptOnCreate", []), ("Delete", [])]
)
def test_what_a_failed_creation_keeps(deployer: Deployer, policy: str, left: list[str]) -> None:
    kept = {**resource(QUEUE, QueueName="it"), "DeletionPolicy": policy}

    with pytest.raises(DeployError):
        deployer.deploy({"It": kept, "Broken": {**BROKEN, "DependsOn": "It"}})

    assert queues(deployer) == left


def test_changed_deletion_policy_counts_without_a_change_of_the_resource(deployer: Deployer) -> None:
    it = resource(QUEUE, QueueName="it")
    deployer.deploy({"It": it})
    deployer.deploy({"It": {**it, "DeletionPolicy": "Retain"}})

    deployer.engine.delete("Stack")

    assert queues(deployer) == ["it"]


def test_rollback_that_fails_says_so(deployer: Deployer) -> None:
    full = resource("AWS::S3::Bucket", BucketName="full-bucket")

    class Filling:
        """S3, where somebody writes into every new bucket at once."""

        def __getattr__(self, name: str) -> Any:
            return getattr(deployer.clients("s3"), name)

        def create_bucket(self, **request: Any) -> Any:
            answer = deployer.clients("s3").create_bucket(**request)
            deployer.clients("s3").put_object(Bucket=request["Bucket"], Key="k")
            return answer

    over = Deployer(lambda service: Filling() if service == "s3" else deployer.clients(service))
    with pytest.raises(DeployError):
        over.deploy({"Full": full, "Broken": {**BROKEN, "DependsOn": "Full"}})

    state = over.store.get("Stack")
    assert state is not None
    assert state.status == "ROLLBACK_FAILED"
    assert "BucketNotEmpty" in state.reason
    assert list(state.resources) == ["Full"]


def test_bug_in_a_provider_still_rolls_back(deployer: Deployer) -> None:
    with pytest.raises(DeployError, match="KeyError: 'Key'"):
        deployer.deploy(
            {"First": resource(QUEUE), "It": {**resource(QUEUE, Tags=[{}]), "DependsOn": "First"}}
        )

    assert queues(deployer) == []


def test_bug_during_a_rollback_does_not_stop_it(deployer: Deployer) -> None:
    class Forgetful:
        """SQS whose client can set attributes only once."""

        calls = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(deployer.clients("sqs"), name)

        def set_queue_attributes(self, **request: Any) -> Any:
            self.calls += 1
            if self.calls > 1:
                raise NotImplementedError("once")
            return deployer.clients("sqs").set_queue_attributes(**request)

    sqs = Forgetful()
    over = Deployer(lambda service: sqs if service == "sqs" else deployer.clients(service))
    over.deploy({"First": resource(QUEUE, QueueName="first")})
    changed = {**resource(QUEUE, QueueName="second"), "DependsOn": "First"}

    with pytest.raises(DeployError):
        over.deploy(
            {
                "First": resource(QUEUE, QueueName="first", DelaySeconds=1),
                "Second": changed,
                "Broken": {**BROKEN, "DependsOn": "Second"},
            }
        )

    state = over.store.get("Stack")
    assert state is not None
    assert (state.status, state.reason) == (
        "UPDATE_ROLLBACK_FAILED",
        "First (AWS::SQS::Queue): NotImplementedError: once",
    )
    assert queues(over) == ["first"]


def test_two_runs_give_the_same_names(deployer: Deployer) -> None:
    first = deployer.one(QUEUE)
    again = Deployer(deployer.clients)
    deployer.engine.delete("Stack")

    assert again.one(QUEUE) == first


def test_new_generation_of_a_resource_has_a_new_name(deployer: Deployer) -> None:
    standard = deployer.one(QUEUE)

    fifo = deployer.one(QUEUE, FifoQueue=True)

    assert fifo.endswith(".fifo")
    assert fifo.removesuffix(".fifo") != standard


def test_names_fit_their_service(deployer: Deployer) -> None:
    long = "Long" * 30
    state = deployer.deploy(
        {long: resource(QUEUE), "Bucket" + long: resource("AWS::S3::Bucket")}, "Name" * 30
    )

    queue = deployer.physical_id(state, long).rpartition("/")[2]
    bucket = deployer.physical_id(state, "Bucket" + long)
    assert (len(queue), len(bucket)) == (80, 63)
    assert bucket == bucket.lower()


def test_store_forgets_on_reset() -> None:
    store = StackStore()
    assert [store.next_serial(), store.next_serial()] == [1, 2]

    store.reset()

    assert list(store) == []
    assert store.next_serial() == 1


def test_refusal_of_a_service_is_the_cause(deployer: Deployer) -> None:
    with pytest.raises(DeployError) as caught:
        deployer.deploy({"Broken": BROKEN})

    assert caught.value.__cause__ is not None
    root: BaseException = caught.value
    while root.__cause__ is not None:
        root = root.__cause__
    assert isinstance(root, ClientError)
