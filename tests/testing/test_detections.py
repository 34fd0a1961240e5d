"""The packaged rules in Sigma, in a test of one's own: a call, a flush, and what was found."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from opentrail.local.runtime import Options
from opentrail.testing.world import OpenTrail
from tests.support.records import make_record

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.fixture(scope="module")
def opentrail_options() -> Options:
    """With detections."""
    return Options(detections=True)


def found(opentrail: OpenTrail) -> list[dict[str, Any]]:
    """What event history has of findings."""
    opentrail.flush()
    named = [{"AttributeKey": "EventName", "AttributeValue": "DetectionFinding"}]
    events = opentrail.client("cloudtrail").lookup_events(LookupAttributes=named)["Events"]
    return [json.loads(event["CloudTrailEvent"])["serviceEventDetails"] for event in events]


def test_a_call_that_a_rule_describes_is_found_and_another_is_not(opentrail: OpenTrail) -> None:
    iam = opentrail.client("iam")
    iam.create_user(UserName="bob")
    iam.attach_user_policy(UserName="bob", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    iam.attach_user_policy(UserName="bob", PolicyArn=ADMIN)

    (finding,) = found(opentrail)

    _, call = opentrail.events("AttachUserPolicy")
    assert (finding["title"], finding["sourceEventId"]) == ("AdministratorAccess attached", call["eventID"])


def test_calls_of_other_accounts_that_come_home_are_judged_too(opentrail: OpenTrail) -> None:
    abroad = make_record(
        eventSource="cloudtrail.amazonaws.com",
        eventName="StopLogging",
        awsRegion="eu-west-1",
        recipientAccountId="111122223333",
    )
    entry = {
        "EventBusName": "OpenTrail-calls",
        "Source": "aws.cloudtrail",
        "DetailType": "AWS API Call via CloudTrail",
        "Detail": json.dumps(abroad),
    }
    events, sqs = opentrail.client("events"), opentrail.client("sqs")
    queue = sqs.create_queue(QueueName="findings")["QueueUrl"]
    events.put_rule(Name="findings", EventPattern='{"source":["opentrail"]}')
    target = "arn:aws:sqs:us-east-1:123456789012:findings"
    events.put_targets(Rule="findings", Targets=[{"Id": "1", "Arn": target}])

    events.put_events(Entries=[entry])
    opentrail.flush()

    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    finding = json.loads(message["Body"])["detail"]
    assert (finding["recipientAccountId"], finding["awsRegion"]) == ("111122223333", "eu-west-1")
    assert finding["serviceEventDetails"]["sourceEventId"] == abroad["eventID"]


def test_telling_a_finding_is_no_call_that_anybody_sees(opentrail: OpenTrail) -> None:
    with pytest.raises(ClientError, match="TrailNotFoundException"):
        opentrail.client("cloudtrail").delete_trail(Name="nobodys")

    assert len(found(opentrail)) == 1
    assert [event["eventName"] for event in opentrail.events()] == ["DeleteTrail", "LookupEvents"]
