"""Deployments that fail: what was made goes, what was changed comes back, what was replaced stays."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from opentrail.errors import DeployError
from tests.adapters.deployer.conftest import Deployer, queues, resource

QUEUE = "AWS::SQS::Queue"
TOPIC = "AWS::SNS::Topic"
# S3 refuses so short a name, so a stack with it fails after whatever comes before it.
BROKEN = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "ab"}}


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


def test_stack_whose_creation_failed_can_be_deployed_again(deployer: Deployer) -> None:
    with pytest.raises(DeployError):
        deployer.deploy({"Broken": BROKEN})

    state = deployer.deploy({"Queue": resource(QUEUE)})

    assert state.status == "CREATE_COMPLETE"


@pytest.mark.parametrize(
    ("policy", "left"), [("Retain", ["it"]), ("RetainExceptOnCreate", []), ("Delete", [])]
)
def test_what_a_failed_creation_keeps(deployer: Deployer, policy: str, left: list[str]) -> None:
    kept = {**resource(QUEUE, QueueName="it"), "DeletionPolicy": policy}

    with pytest.raises(DeployError):
        deployer.deploy({"It": kept, "Broken": {**BROKEN, "DependsOn": "It"}})

    assert queues(deployer) == left


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


def test_refusal_of_a_service_is_the_cause(deployer: Deployer) -> None:
    with pytest.raises(DeployError) as caught:
        deployer.deploy({"Broken": BROKEN})

    assert caught.value.__cause__ is not None
    root: BaseException = caught.value
    while root.__cause__ is not None:
        root = root.__cause__
    assert isinstance(root, ClientError)
