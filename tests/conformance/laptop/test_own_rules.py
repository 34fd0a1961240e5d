"""Two Sigma rules dropped in a folder: synthesised, deployed, set off by the real aws-cli, and told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.laptop.conftest import BIN, Laptop, environment, serving
from tests.stacks.conftest import ROOT, synthesise
from tests.support.own_events import problems

TOPIC = "arn:aws:sns:us-east-1:123456789012:findings"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
FINDING = "OpenTrail Detection Finding"
WAIT_SECONDS = 20  # SQS takes no more; a message that is there comes at once


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """``opentrail up`` with the stacks of two rules, and queues that hear the topic and the bus."""
    folder = tmp_path_factory.mktemp("installed")
    rules = folder / "rules"
    rules.mkdir()
    for name in ("admin_policy_attached.yml", "key_for_somebody_else.yml"):
        (rules / name).write_text((ROOT / "detections" / name).read_text())
    synthesise(
        folder / "cdk.out",
        {
            "detectionsFolder": str(rules),
            "detectionsTopicArn": TOPIC,
        },
    )
    up: list[str | Path] = [BIN / "opentrail", "up", "--port", "0", "--assembly", "cdk.out"]
    with serving(up, environment(), folder) as running:
        hear(running)
        yield running


def hear(laptop: Laptop) -> None:
    """A queue for the topic's messages, and one for findings on the default bus."""
    arn = TOPIC.replace(":sns:", ":sqs:").removesuffix("findings")
    sqs, sns, events = (laptop.client(service) for service in ("sqs", "sns", "events"))
    for name in ("topic", "findings"):
        sqs.create_queue(QueueName=name)
    sns.create_topic(Name="findings")
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=f"{arn}topic")
    pattern = {"source": ["opentrail"], "detail-type": [FINDING]}
    events.put_rule(Name="findings", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="findings", Targets=[{"Id": "1", "Arn": f"{arn}findings"}])


def heard(laptop: Laptop, name: str) -> list[dict[str, Any]]:
    """The bodies of a queue's messages, taken off it; waits until there is one."""
    sqs = laptop.client("sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=WAIT_SECONDS)
    messages = answer.get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in messages]


def lookup(laptop: Laptop, name: str) -> list[dict[str, Any]]:
    """What ``lookup-events`` has under a name."""
    named = f"--lookup-attributes AttributeKey=EventName,AttributeValue={name}"
    done = laptop.run("aws", f"cloudtrail lookup-events {named}")
    return [json.loads(event["CloudTrailEvent"]) for event in json.loads(done.stdout)["Events"]]


def test_a_call_that_a_rule_describes_is_found_and_told_everywhere_once(installed: Laptop) -> None:
    installed.run("aws", "iam create-user --user-name bob")
    done = installed.run("aws", f"iam attach-user-policy --user-name bob --policy-arn {ADMIN}")
    assert done.returncode == 0, done.stderr

    (message,) = heard(installed, "topic")
    (event,) = heard(installed, "findings")
    (record,) = lookup(installed, "DetectionFinding")
    assert json.loads(message["Message"]) == event["detail"] == record
    assert message["Subject"] == "high: AdministratorAccess attached"
    assert problems(event) == []
    (call,) = lookup(installed, "AttachUserPolicy")
    assert record["serviceEventDetails"]["sourceEventId"] == call["eventID"]


def test_an_event_that_comes_again_is_not_told_again(installed: Laptop) -> None:
    installed.run("aws", "iam create-access-key --user-name bob")
    (first,) = heard(installed, "findings")
    (call,) = lookup(installed, "CreateAccessKey")
    second = {**call, "eventID": "00000000-0000-0000-0000-000000000002"}
    kind = "AWS API Call via CloudTrail"
    entries = [
        {"Source": "aws.iam", "DetailType": kind, "Detail": json.dumps(event)} for event in (call, second)
    ]

    installed.client("events").put_events(Entries=entries)

    # The function takes them in their order: the first would have been heard of before the second.
    (told,) = heard(installed, "findings")
    assert told["detail"]["serviceEventDetails"]["sourceEventId"] == second["eventID"]
    assert first["detail"]["serviceEventDetails"]["title"] == "Access key created for another user"
    assert told["detail"]["eventID"] != first["detail"]["eventID"]
