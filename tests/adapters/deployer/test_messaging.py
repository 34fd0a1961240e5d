"""Queues, topics, their policies and subscriptions: what the template asks for is what SQS and SNS show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opentrail.errors import DeployError
from tests.adapters.deployer.conftest import ACCOUNT, REGION, Deployer, resource

QUEUE = "AWS::SQS::Queue"
TOPIC = "AWS::SNS::Topic"
ALLOW: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Send",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": "*",
        }
    ],
}


def attributes(deployer: Deployer, url: str) -> Any:
    """Return all attributes of a queue."""
    answer = deployer.clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return answer["Attributes"]


def test_queue_with_its_attributes(deployer: Deployer) -> None:
    redrive = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 3}
    main = resource(
        QUEUE,
        QueueName="main",
        KmsMasterKeyId="alias/data",
        KmsDataKeyReusePeriodSeconds=600,
        VisibilityTimeout=360,
        MessageRetentionPeriod="1209600",
        RedrivePolicy=redrive,
        Tags=[{"Key": "k", "Value": "v"}],
    )

    state = deployer.deploy({"Dead": resource(QUEUE, QueueName="dead"), "Main": main})

    url = deployer.physical_id(state, "Main")
    found = attributes(deployer, url)
    assert found["KmsMasterKeyId"] == "alias/data"
    assert (found["VisibilityTimeout"], found["MessageRetentionPeriod"]) == ("360", "1209600")
    assert json.loads(found["RedrivePolicy"]) == {
        "deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead",
        "maxReceiveCount": 3,
    }
    assert deployer.clients("sqs").list_queue_tags(QueueUrl=url)["Tags"] == {"k": "v"}


def test_attributes_of_a_queue_for_other_resources(deployer: Deployer) -> None:
    outputs = {name: {"Value": {"Fn::GetAtt": ["It", name]}} for name in ("Arn", "QueueName", "QueueUrl")}

    state = deployer.deploy({"It": resource(QUEUE, QueueName="main")}, Outputs=outputs)

    assert state.outputs["Arn"] == attributes(deployer, state.outputs["QueueUrl"])["QueueArn"]
    assert state.outputs["QueueName"] == "main"


def test_queue_attributes_change_and_go_back_to_their_defaults(deployer: Deployer) -> None:
    url = deployer.one(QUEUE, VisibilityTimeout=360, DelaySeconds=5, KmsMasterKeyId="alias/data")

    assert deployer.one(QUEUE, DelaySeconds=6) == url

    found = attributes(deployer, url)
    assert (found["VisibilityTimeout"], found["DelaySeconds"]) == ("30", "6")
    assert not found.get("KmsMasterKeyId")


def test_fifo_queue(deployer: Deployer) -> None:
    url = deployer.one(QUEUE, FifoQueue="true", ContentBasedDeduplication=True)

    assert url.endswith(".fifo")
    assert attributes(deployer, url)["ContentBasedDeduplication"] == "true"


def test_queue_policy_moves_between_queues(deployer: Deployer) -> None:
    def resources(*queues: str) -> dict[str, Any]:
        policy = resource(
            "AWS::SQS::QueuePolicy", PolicyDocument=ALLOW, Queues=[{"Ref": queue} for queue in queues]
        )
        return {"One": resource(QUEUE), "Two": resource(QUEUE), "Policy": policy}

    state = deployer.deploy(resources("One"))
    one, two = (deployer.physical_id(state, name) for name in ("One", "Two"))
    assert json.loads(attributes(deployer, one)["Policy"]) == ALLOW

    deployer.deploy(resources("Two"))
    assert json.loads(attributes(deployer, two)["Policy"]) == ALLOW
    assert not attributes(deployer, one).get("Policy")

    deployer.deploy({"One": resource(QUEUE), "Two": resource(QUEUE)})
    assert not attributes(deployer, two).get("Policy")


def topic_attributes(deployer: Deployer, arn: str) -> Any:
    """Return the attributes of a topic."""
    return deployer.clients("sns").get_topic_attributes(TopicArn=arn)["Attributes"]


def test_topic_changes_in_place(deployer: Deployer) -> None:
    arn = deployer.one(TOPIC, TopicName="news", DisplayName="Old", KmsMasterKeyId="alias/data")
    assert topic_attributes(deployer, arn)["KmsMasterKeyId"] == "alias/data"

    again = deployer.one(
        TOPIC,
        TopicName="news",
        DisplayName="New",
        KmsMasterKeyId="alias/data",
        Tags=[{"Key": "k", "Value": "v"}],
    )

    assert again == arn
    assert topic_attributes(deployer, arn)["DisplayName"] == "New"
    assert deployer.clients("sns").list_tags_for_resource(ResourceArn=arn)["Tags"] == [
        {"Key": "k", "Value": "v"}
    ]


def test_topic_policy(deployer: Deployer) -> None:
    policy = resource("AWS::SNS::TopicPolicy", PolicyDocument=ALLOW, Topics=[{"Ref": "Topic"}])
    state = deployer.deploy({"Topic": resource(TOPIC), "Policy": policy})
    arn = deployer.physical_id(state, "Topic")
    assert json.loads(topic_attributes(deployer, arn)["Policy"]) == ALLOW

    deployer.deploy({"Topic": resource(TOPIC)})

    statement = json.loads(topic_attributes(deployer, arn)["Policy"])["Statement"][0]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


def test_topic_with_an_inline_subscription(deployer: Deployer) -> None:
    endpoint = f"arn:aws:sqs:{REGION}:{ACCOUNT}:somewhere"
    arn = deployer.one(TOPIC, Subscription=[{"Protocol": "sqs", "Endpoint": endpoint}])

    found = deployer.clients("sns").list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert [(one["Protocol"], one["Endpoint"]) for one in found] == [("sqs", endpoint)]


def test_subscription_changes_its_attributes_in_place(deployer: Deployer) -> None:
    def resources(**attributes: Any) -> dict[str, Any]:
        endpoint = {"Fn::GetAtt": ["Queue", "Arn"]}
        subscription = resource(
            "AWS::SNS::Subscription",
            TopicArn={"Ref": "Topic"},
            Protocol="sqs",
            Endpoint=endpoint,
            **attributes,
        )
        return {"Topic": resource(TOPIC), "Queue": resource(QUEUE), "Sub": subscription}

    def shown(arn: str) -> Any:
        return deployer.clients("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]

    state = deployer.deploy(resources(RawMessageDelivery=True, FilterPolicy={"kind": ["log"]}))
    arn = deployer.physical_id(state, "Sub")
    assert shown(arn)["RawMessageDelivery"] == "true"
    assert json.loads(shown(arn)["FilterPolicy"]) == {"kind": ["log"]}

    state = deployer.deploy(resources(FilterPolicy={"kind": ["digest"]}))
    assert deployer.physical_id(state, "Sub") == arn
    assert shown(arn)["RawMessageDelivery"] == "false"
    assert json.loads(shown(arn)["FilterPolicy"]) == {"kind": ["digest"]}


def subscription_in(region: str) -> dict[str, Any]:
    """A topic, a queue and a subscription that says where the topic is."""
    subscription = resource(
        "AWS::SNS::Subscription",
        TopicArn={"Ref": "Topic"},
        Protocol="sqs",
        Endpoint={"Fn::GetAtt": ["Queue", "Arn"]},
        Region=region,
    )
    return {"Topic": resource(TOPIC), "Queue": resource(QUEUE), "Sub": subscription}


def test_subscription_may_name_its_own_region(deployer: Deployer) -> None:
    state = deployer.deploy(subscription_in(deployer.clients("sns").meta.region_name))

    arn = deployer.physical_id(state, "Sub")
    assert deployer.clients("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]


def test_subscription_in_another_region_is_refused(deployer: Deployer) -> None:
    with pytest.raises(DeployError, match="property Region: only .* is supported"):
        deployer.deploy(subscription_in("ap-south-1"))


@pytest.mark.parametrize("type_name", [QUEUE, TOPIC])
def test_unknown_property_is_refused(deployer: Deployer, type_name: str) -> None:
    with pytest.raises(DeployError, match=rf"It \({type_name}\): property Oops is not supported"):
        deployer.one(type_name, Oops=1)


def test_fifo_topic(deployer: Deployer) -> None:
    arn = deployer.one(TOPIC, FifoTopic=True, ContentBasedDeduplication="true")

    assert arn.endswith(".fifo")
    assert topic_attributes(deployer, arn)["ContentBasedDeduplication"] == "true"


def test_topic_policy_moves_between_topics(deployer: Deployer) -> None:
    def resources(*topics: str) -> dict[str, Any]:
        policy = resource(
            "AWS::SNS::TopicPolicy", PolicyDocument=ALLOW, Topics=[{"Ref": topic} for topic in topics]
        )
        return {"One": resource(TOPIC), "Two": resource(TOPIC), "Policy": policy}

    def allowed(state: Any, name: str) -> bool:
        found = topic_attributes(deployer, deployer.physical_id(state, name))
        return bool(json.loads(found["Policy"]) == ALLOW)

    state = deployer.deploy(resources("One"))
    assert (allowed(state, "One"), allowed(state, "Two")) == (True, False)

    state = deployer.deploy(resources("Two"))
    assert (allowed(state, "One"), allowed(state, "Two")) == (False, True)
