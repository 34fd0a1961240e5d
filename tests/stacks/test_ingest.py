"""An existing CloudTrail bucket as a source: only when asked for, delayed, and unable to close a loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opentrail.errors import SettingsError
from opentrail.settings import IngestSettings
from stacks.options import Options
from tests.stacks.conftest import ROOT, Template, Templates, synthesise
from tests.stacks.test_permissions import AT_REST, OWN_LOGS, READ_TRAILS, TAKE, as_list, named, statements

TOPIC = "arn:aws:sns:eu-west-1:999988887777:new-files"


@pytest.fixture(scope="module")
def by_topic(configured: Templates) -> Template:
    """Another account's bucket, with a topic, a prefix and a key."""
    return configured.read("OpenTrailIngest")


@pytest.fixture(scope="module")
def by_event_bridge(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A bucket of the same account."""
    directory: Path = tmp_path_factory.mktemp("source")
    return synthesise(directory, {"sourceBucket": "our-trail-logs"}).read("OpenTrailIngest")


def function(template: Template) -> dict[str, Any]:
    return template.only("AWS::Lambda::Function", "Ingest")


# Only when asked for


def test_nobody_gets_it_unasked(templates: Templates) -> None:
    assert not (templates.directory / "OpenTrailIngest.template.json").exists()


def test_stateful_logical_ids_never_change(by_event_bridge: Template, by_topic: Template) -> None:
    queues = {"NoticesDeadLetters9751A95B", "NoticesQueue8F17BA1B"}

    assert set(by_event_bridge.of_type("AWS::SQS::Queue")) == queues
    assert set(by_topic.of_type("AWS::SQS::Queue")) == queues


@pytest.mark.parametrize(
    ("context", "complaint"),
    [
        ({"sourceBucket": "Not_A_Bucket"}, "sourceBucket must be the name of a bucket"),
        (
            {"sourceBucket": "team-logs", "deliveryBuckets": "team-logs"},
            "must not be a bucket OpenTrail itself",
        ),
        ({"sourceBucket": "access", "accessLogsBucket": "access"}, "must not be a bucket OpenTrail itself"),
        ({"sourceBucket": "opentrailstorage-logsbucket9c4d8843-x1"}, "must not be a bucket OpenTrail itself"),
        ({"sourceBucket": "auditstorage-historybucket1-x", "namePrefix": "Audit"}, "must not be a bucket"),
        ({"sourcePrefix": "p/"}, "go with sourceBucket"),
        ({"sourceTopicArn": TOPIC}, "go with sourceBucket"),
        ({"sourceKeyArns": "arn:aws:kms:us-east-1:123456789012:key/k"}, "go with sourceBucket"),
        ({"sourceBucket": "logs", "sourceKeyArns": "alias/key"}, "sourceKeyArns must be ARNs"),
        ({"sourceBucket": "logs", "sourcePrefix": "/p"}, "sourcePrefix must not begin with /"),
        ({"sourceBucket": "logs", "sourceTopicArn": "new-files"}, "sourceTopicArn must be the ARN"),
    ],
)
def test_what_cannot_be_is_refused_at_synthesis(context: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        Options.from_context(context.get)


# The way in


def test_new_objects_of_that_bucket_alone_come_by_event_bridge(by_event_bridge: Template) -> None:
    rule = by_event_bridge.only("AWS::Events::Rule", "NewObjects")

    assert rule["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": ["our-trail-logs"]}},
    }
    assert by_event_bridge.of_type("AWS::SNS::Subscription") == {}


def test_or_by_the_topic_of_whoever_owns_it(by_topic: Template) -> None:
    subscription = by_topic.only("AWS::SNS::Subscription", "Subscription")

    assert (subscription["TopicArn"], subscription["Region"]) == (TOPIC, "eu-west-1")
    assert subscription["RawMessageDelivery"] is True
    assert by_topic.of_type("AWS::Events::Rule") == {}


@pytest.mark.parametrize(
    ("which", "sid", "source"),
    [
        ("by_event_bridge", "AllowRulesToSend", {"Fn::GetAtt": ["NewObjects", "Arn"]}),
        ("by_topic", "AllowTopicToSend", TOPIC),
    ],
)
def test_nobody_else_may_send(request: pytest.FixtureRequest, which: str, sid: str, source: Any) -> None:
    template: Template = request.getfixturevalue(which)
    policy = template.only("AWS::SQS::QueuePolicy", "NoticesQueue")["PolicyDocument"]["Statement"]

    (allowed,) = (statement for statement in policy if statement["Effect"] == "Allow")
    assert allowed["Sid"] == sid
    assert as_list(allowed["Condition"]["ArnEquals"]["aws:SourceArn"]) == [source]


def test_the_topic_may_use_the_queues_key(configured: Templates) -> None:
    key = configured.storage.only("AWS::KMS::Key", "EncryptionKey")["KeyPolicy"]["Statement"]

    (topic,) = (s for s in key if s.get("Sid") == "AllowSourceTopicToSendToQueue")
    assert topic["Condition"] == {"ArnEquals": {"aws:SourceArn": TOPIC}}


def test_files_wait_for_event_bridges_copy_of_their_events(by_event_bridge: Template) -> None:
    queue = by_event_bridge.only("AWS::SQS::Queue", "NoticesQueue")
    parameter = by_event_bridge.body["Parameters"]["IngestDelaySeconds"]

    assert queue["DelaySeconds"] == {"Ref": "IngestDelaySeconds"}
    assert (parameter["Default"], parameter["MinValue"], parameter["MaxValue"]) == (900, 0, 900)


def test_what_cannot_be_ingested_goes_to_a_queue_of_its_own(by_event_bridge: Template) -> None:
    queue = by_event_bridge.only("AWS::SQS::Queue", "NoticesQueue")
    mapping = by_event_bridge.only("AWS::Lambda::EventSourceMapping", "Ingest")

    assert queue["RedrivePolicy"]["maxReceiveCount"] == 10
    assert (
        queue["VisibilityTimeout"] >= 6 * by_event_bridge.only("AWS::Lambda::Function", "Ingest")["Timeout"]
    )
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


# The function


def test_environment_is_exactly_the_settings(by_topic: Template) -> None:
    environment = function(by_topic)["Environment"]["Variables"]

    wanted = {"OPENTRAIL_" + name.upper() for name in IngestSettings.__dataclass_fields__}
    assert {name for name in environment if not name.startswith("POWERTOOLS_")} == wanted
    assert environment["OPENTRAIL_SOURCE_BUCKET"] == "central-trail-logs"
    assert environment["OPENTRAIL_SOURCE_PREFIX"] == "org/AWSLogs/"


def test_the_function_knows_every_bucket_of_our_own(by_topic: Template) -> None:
    own = str(
        by_topic.only("AWS::Lambda::Function", "Ingest")["Environment"]["Variables"]["OPENTRAIL_OWN_BUCKETS"]
    )

    for name in ("LogsBucket", "HistoryBucket", "team-a-logs", "team-b-logs"):
        assert name in own


def test_neither_way_in_records_what_the_function_does(configured: Templates, by_topic: Template) -> None:
    for template, stage in ((configured.pipeline, "Record"), (by_topic, "Ingest")):
        variables = template.only("AWS::Lambda::Function", stage)["Environment"]["Variables"]
        assert ":role/Audit-ingest-" in str(variables["OPENTRAIL_OWN_ROLE_ARNS"])


def test_its_role_may_do_this_and_nothing_more(by_event_bridge: Template) -> None:
    granted: dict[str, set[str]] = {}
    for statement in statements(by_event_bridge, "Ingest"):
        for resource in as_list(statement["Resource"]):
            granted.setdefault(named(resource), set()).update(as_list(statement["Action"]))

    source = "arn:AWS::Partition:s3:::our-trail-logs"
    assert granted == {
        "IngestLogs": OWN_LOGS,
        "NoticesQueue": TAKE,
        "DeliveryQueue": {"sqs:SendMessage"},
        "NoticesDeadLetters": {"sqs:SendMessage"},
        "TrailsTable": READ_TRAILS | {"dynamodb:UpdateItem"},
        "HistoryTable": {"dynamodb:Query"},
        "HistoryBucket": {"s3:ListBucket"},
        "HistoryBucket/history/*": {"s3:GetObject"},
        source: {"s3:ListBucket"},
        f"{source}/AWSLogs/*": {"s3:GetObject"},
        f"{source}/*/AWSLogs/*": {"s3:GetObject"},
        "EncryptionKey": AT_REST,
        "*": {"organizations:ListAccounts"},
    }


def test_the_record_function_may_look_late_events_up_then(configured: Templates, pipeline: Template) -> None:
    reads = [
        {action for s in statements(template, "Record") for action in as_list(s["Action"])}
        & {"dynamodb:Query", "s3:GetObject"}
        for template in (configured.pipeline, pipeline)
    ]
    asked = [
        template.only("AWS::Lambda::Function", "Record")["Environment"]["Variables"][
            "OPENTRAIL_HISTORY_TABLE"
        ]
        for template in (configured.pipeline, pipeline)
    ]

    assert reads == [{"dynamodb:Query", "s3:GetObject"}, {"dynamodb:Query"}]  # of trails
    assert (bool(asked[0]), asked[1]) == (True, "")


def test_with_a_prefix_it_reads_nothing_else(by_topic: Template) -> None:
    resources = [
        named(resource)
        for statement in statements(by_topic, "Ingest")
        for resource in as_list(statement["Resource"])
        if as_list(statement["Action"]) == ["s3:GetObject"]
    ]

    source = [resource for resource in resources if "central-trail-logs" in resource]
    assert source == ["arn:AWS::Partition:s3:::central-trail-logs/org/AWSLogs/*"]


def test_the_keys_of_the_bucket_are_used_to_decrypt_alone(by_topic: Template) -> None:
    (use,) = (s for s in statements(by_topic, "Ingest") if "22222222-3333" in str(s["Resource"]))

    (through,) = as_list(use["Condition"]["StringEquals"]["kms:ViaService"])
    assert use["Action"] == "kms:Decrypt"
    assert through == {"Fn::Join": ["", ["s3.eu-west-1.", {"Ref": "AWS::URLSuffix"}]]}


@pytest.mark.parametrize("stage", ["Deliver", "Digest"])
def test_no_function_of_ours_can_write_to_the_source(configured: Templates, stage: str) -> None:
    assert "central-trail-logs" not in str(statements(configured.pipeline, stage))


def test_the_runbook_has_a_paragraph_for_every_alarm(by_topic: Template) -> None:
    runbook = (ROOT / "docs" / "operating.md").read_text()

    names = {id_.removeprefix("Alarms")[:-8] for id_ in by_topic.of_type("AWS::CloudWatch::Alarm")}
    assert names == {"IngestGivenUp", "IngestLate", "IngestErrors", "IngestThrottled"}
    assert {name for name in names if f"| `{name}` |" not in runbook} == set()
