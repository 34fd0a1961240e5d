"""Stacks: creation, update, replacement, removal, deletion, and the events of each."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.errors import DeployError
from opentrail.local.deployer import StackStore
from tests.adapters.deployer.conftest import ACCOUNT, REGION, Deployer, queues, resource

QUEUE = "AWS::SQS::Queue"
TOPIC = "AWS::SNS::Topic"


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


def test_resource_no_longer_in_the_template_is_deleted(deployer: Deployer) -> None:
    deployer.deploy({"A": resource(QUEUE, QueueName="a"), "B": resource(QUEUE, QueueName="b")})

    state = deployer.deploy({"A": resource(QUEUE, QueueName="a")})

    assert queues(deployer) == ["a"]
    assert list(state.resources) == ["A"]


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


def test_changed_deletion_policy_counts_without_a_change_of_the_resource(deployer: Deployer) -> None:
    it = resource(QUEUE, QueueName="it")
    deployer.deploy({"It": it})
    deployer.deploy({"It": {**it, "DeletionPolicy": "Retain"}})

    deployer.engine.delete("Stack")

    assert queues(deployer) == ["it"]


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
