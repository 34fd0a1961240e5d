"""Findings on AWS: told to the line, the bus and a topic, and remembered."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from opentrail.adapters.aws.findings import DynamoTold, FindingOutlet
from opentrail.adapters.aws.own_events import OwnEvents
from opentrail.adapters.aws.sqs import SqsQueue
from opentrail.branches.detections import Detection, find
from opentrail.branches.detections.predicate import Present
from opentrail.errors import StorageError
from opentrail.format.envelope import parse_envelope
from opentrail.model.event import Place
from tests.support.aws import make_queue, make_table, take_all
from tests.support.records import ACCOUNT, REGION, make_record

Clients = Callable[[str], Any]
HOME = Place(ACCOUNT, REGION)
NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
RULE = Detection(
    id="0b9e7c52-6b0b-4b0e-9d55-6b2f5b3b1a01",
    title="Somebody – did it",
    level="high",
    condition=Present("eventName"),
)
FINDING = find(RULE, make_record(eventID="e-1"), home=HOME, now=NOW)


def test_what_was_told_is_remembered_for_a_week(clients: Clients) -> None:
    table = make_table(clients)
    told = DynamoTold(clients("dynamodb"), table)
    assert not told.was_told(FINDING.id)

    told.note(FINDING)

    assert told.was_told(FINDING.id)
    (item,) = clients("dynamodb").scan(TableName=table)["Items"]
    assert int(item["expires"]["N"]) == NOW.timestamp() + 7 * 86_400


def test_a_table_that_is_gone_is_a_storage_error(clients: Clients) -> None:
    told = DynamoTold(clients("dynamodb"), "gone")

    with pytest.raises(StorageError, match="gone"):
        told.was_told("x")
    with pytest.raises(StorageError, match="gone"):
        told.note(FINDING)


def test_the_line_takes_a_finding_as_a_record_of_where_it_happened(clients: Clients) -> None:
    intake = make_queue(clients)
    own_events = OwnEvents(SqsQueue(clients("sqs"), intake), clients("events"), HOME)
    elsewhere = find(RULE, make_record(awsRegion="eu-west-1"), home=HOME, now=NOW)

    FindingOutlet(own_events, clients("sns"), "").tell(elsewhere)

    (message,) = take_all(clients, intake)
    read = parse_envelope(message["Body"], arrived_at=0.0)
    assert (read.event_id, read.source, read.name) == (elsewhere.id, "opentrail", "DetectionFinding")
    assert read.place == Place(ACCOUNT, "eu-west-1")


@pytest.fixture
def heard(clients: Clients) -> tuple[str, str]:
    """A topic, and the queue that hears it."""
    topic = clients("sns").create_topic(Name="findings")["TopicArn"]
    queue = make_queue(clients)
    arn = clients("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    clients("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"])
    return topic, queue


def test_a_topic_hears_of_it_in_one_line_of_ascii_and_all_of_it(
    clients: Clients, heard: tuple[str, str]
) -> None:
    topic, queue = heard
    own_events = OwnEvents(SqsQueue(clients("sqs"), make_queue(clients)), clients("events"), HOME)

    FindingOutlet(own_events, clients("sns"), topic).tell(FINDING)

    (message,) = take_all(clients, queue)
    body = json.loads(message["Body"])
    assert body["Subject"] == "high: Somebody ? did it"
    assert json.loads(body["Message"])["serviceEventDetails"]["title"] == "Somebody – did it"
    attributes = {name: value["Value"] for name, value in body["MessageAttributes"].items()}
    assert attributes == {"ruleId": RULE.id, "level": "high", "account": ACCOUNT}


def test_a_long_title_is_cut_where_a_subject_ends(clients: Clients, heard: tuple[str, str]) -> None:
    topic, queue = heard
    own_events = OwnEvents(SqsQueue(clients("sqs"), make_queue(clients)), clients("events"), HOME)
    long = replace(FINDING, detection=Detection(id=RULE.id, title="x" * 200, condition=RULE.condition))

    FindingOutlet(own_events, clients("sns"), topic).tell(long)

    subject = json.loads(take_all(clients, queue)[0]["Body"])["Subject"]
    assert (len(subject), subject[:10], subject[-4:]) == (99, "finding: x", "x...")


def test_a_topic_that_is_gone_is_a_storage_error(clients: Clients) -> None:
    own_events = OwnEvents(SqsQueue(clients("sqs"), make_queue(clients)), clients("events"), HOME)

    with pytest.raises(StorageError, match="gone"):
        FindingOutlet(own_events, clients("sns"), f"arn:aws:sns:{REGION}:{ACCOUNT}:gone").tell(FINDING)
