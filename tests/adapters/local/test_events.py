"""The bus: which rules get an event, what their targets receive, what happens when a target fails."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from opentrail.local.call import Captured
from opentrail.local.events import MAX_HOPS, Bus, Collector
from opentrail.local.targets import Targets
from opentrail.local.transport import Clients
from tests.adapters.local.conftest import ACCOUNT, Notes, bodies, make_function, make_queue

# Spacing, key order, a big number and an unknown member: what parsing and printing would change.
DETAIL = b'{"eventName" : "CreateUser","big":123456789012345678901234567890,"u":"\xc3\xa9","a":1.0}'
ANY_CALL = {"detail-type": ["AWS API Call via CloudTrail"]}
ALL_CALLS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def captured(**changes: Any) -> Captured:
    values: dict[str, Any] = {
        "account": ACCOUNT,
        "region": "us-east-1",
        "source": "aws.iam",
        "detail_type": "AWS API Call via CloudTrail",
        "time": datetime(2026, 1, 10, 18, 12, 23, 999999, tzinfo=UTC),
        "detail": DETAIL,
        "read_only": False,
        "category": "Management",
    }
    return Captured(**{**values, **changes})


@pytest.fixture
def submitted() -> list[tuple[str, bytes]]:
    """Asynchronous invocations: function name and payload."""
    return []


@pytest.fixture
def bus(notes: Notes, submitted: list[tuple[str, bytes]]) -> Bus:
    made = Bus(Targets(lambda function, payload: submitted.append((function.function_name, payload))))
    notes.put_events = made.put_events  # type: ignore[method-assign]
    notes.publish = made.publish  # type: ignore[method-assign]
    return made


def rule(
    clients: Clients, *targets: dict[str, Any], pattern: dict[str, Any] | None = None, **settings: Any
) -> str:
    where = {"EventBusName": settings.pop("bus")} if "bus" in settings else {}
    name = settings.pop("name", "rule")
    arn: str = clients("events").put_rule(
        Name=name, EventPattern=json.dumps(pattern or ANY_CALL), **where, **settings
    )["RuleArn"]
    numbered = [{"Id": str(number), **target} for number, target in enumerate(targets)]
    clients("events").put_targets(Rule=name, Targets=numbered, **where)
    return arn


def queue_rule(clients: Clients, **settings: Any) -> str:
    """A rule to a new queue; return the queue's URL."""
    url, arn = make_queue(clients, settings.pop("queue", "inbox"))
    rule(clients, {"Arn": arn, **settings.pop("target", {})}, **settings)
    return url


def test_record_reaches_the_queue_byte_for_byte_before_the_call_returns(clients: Clients, bus: Bus) -> None:
    url = queue_rule(clients)

    bus.deliver(captured())

    (body,) = bodies(clients, url)
    assert body.encode().endswith(b'"resources":[],"detail":' + DETAIL + b"}")
    assert list(json.loads(body)) == [
        *("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"),
    ]
    assert {name: json.loads(body)[name] for name in ("version", "source", "account", "time", "region")} == {
        "version": "0",
        "source": "aws.iam",
        "account": ACCOUNT,
        "time": "2026-01-10T18:12:23Z",
        "region": "us-east-1",
    }


@pytest.mark.parametrize(
    ("state", "read_only", "category", "delivered"),
    [
        ("ENABLED", False, "Management", True),
        ("ENABLED", True, "Management", False),
        ("ENABLED", True, "Data", True),
        (ALL_CALLS, True, "Management", True),
        (ALL_CALLS, False, "Management", True),
        ("DISABLED", False, "Management", False),
    ],
)
def test_state_decides_about_management_reads(
    clients: Clients, bus: Bus, state: str, read_only: bool, category: str, delivered: bool
) -> None:
    url = queue_rule(clients, State=state)

    bus.deliver(captured(read_only=read_only, category=category))

    assert len(bodies(clients, url)) == delivered


def test_disabled_rule_wakes_up_when_enabled(clients: Clients, bus: Bus) -> None:
    url = queue_rule(clients)
    clients("events").disable_rule(Name="rule")
    bus.deliver(captured())
    clients("events").enable_rule(Name="rule")
    bus.deliver(captured(source="aws.ec2"))

    assert [json.loads(body)["source"] for body in bodies(clients, url)] == ["aws.ec2"]


def test_rule_sees_its_own_account_and_region_only(clients: Clients, bus: Bus) -> None:
    url = queue_rule(clients)

    bus.deliver(captured(account="111122223333"))
    bus.deliver(captured(region="eu-west-1"))

    assert bodies(clients, url) == []


def test_pattern_selects(clients: Clients, bus: Bus) -> None:
    url = queue_rule(clients, pattern={"detail": {"eventName": [{"prefix": "Delete"}]}})

    bus.deliver(captured())
    bus.deliver(captured(detail=b'{"eventName":"DeleteUser"}'))

    assert [json.loads(body)["detail"]["eventName"] for body in bodies(clients, url)] == ["DeleteUser"]


def test_function_is_invoked_asynchronously(
    clients: Clients, bus: Bus, submitted: list[tuple[str, bytes]]
) -> None:
    arn = make_function(clients, "")
    rule(clients, {"Arn": arn, "InputPath": "$.detail.eventName"})

    bus.deliver(captured())

    assert submitted == [("worker", b'"CreateUser"')]


def test_topic_log_group_and_input(clients: Clients, bus: Bus) -> None:
    url, queue = make_queue(clients)
    topic = clients("sns").create_topic(Name="topic")["TopicArn"]
    clients("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    clients("logs").create_log_group(logGroupName="/aws/events/all")
    group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/events/all"
    rule(clients, {"Arn": topic, "Input": '{"said": 1}'}, {"Arn": group})

    bus.deliver(captured())

    (body,) = bodies(clients, url)
    assert json.loads(body)["Message"] == '{"said": 1}'
    (stream,) = clients("logs").describe_log_streams(logGroupName="/aws/events/all")["logStreams"]
    lines = clients("logs").get_log_events(
        logGroupName="/aws/events/all", logStreamName=stream["logStreamName"]
    )["events"]
    assert lines[0]["message"].encode().endswith(DETAIL + b"}")


def test_fifo_queue_gets_its_group(clients: Clients, bus: Bus) -> None:
    url, arn = make_queue(clients, "inbox.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    rule(clients, {"Arn": arn, "SqsParameters": {"MessageGroupId": "calls"}})

    bus.deliver(captured())

    answer = clients("sqs").receive_message(QueueUrl=url, AttributeNames=["All"])
    assert answer["Messages"][0]["Attributes"]["MessageGroupId"] == "calls"


def test_state_machine_is_started(clients: Clients, bus: Bus) -> None:
    machine = clients("stepfunctions").create_state_machine(
        name="machine",
        definition='{"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}',
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/any",
    )["stateMachineArn"]
    rule(clients, {"Arn": machine})

    bus.deliver(captured())

    (execution,) = clients("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    described = clients("stepfunctions").describe_execution(executionArn=execution["executionArn"])
    assert described["input"].encode().endswith(DETAIL + b"}")


def test_failing_target_fails_neither_the_call_nor_the_other_targets(clients: Clients, bus: Bus) -> None:
    url, good = make_queue(clients)
    dead_url, dead = make_queue(clients, "dead")
    absent = f"arn:aws:sqs:us-east-1:{ACCOUNT}:absent"
    arn = rule(clients, {"Arn": absent, "DeadLetterConfig": {"Arn": dead}}, {"Arn": good})

    bus.deliver(captured())

    assert len(bodies(clients, url)) == 1
    message = clients("sqs").receive_message(QueueUrl=dead_url, MessageAttributeNames=["All"])["Messages"][0]
    assert message["Body"].encode().endswith(DETAIL + b"}")
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes["RULE_ARN"] == arn
    assert attributes["TARGET_ARN"] == absent
    assert attributes["ERROR_CODE"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert (bus.counters.deliveries, bus.counters.failed) == (1, 1)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:kinesis:us-east-1:123456789012:stream/none",
        "arn:aws:lambda:us-east-1:123456789012:function:none",
        "arn:aws:sns:us-east-1:123456789012:none",
        "arn:aws:logs:us-east-1:123456789012:log-group:none",
        "arn:aws:states:us-east-1:123456789012:stateMachine:none",
        "arn:aws:sqs:us-east-1:123456789012:none",
    ],
)
def test_unreachable_target_is_counted(clients: Clients, bus: Bus, arn: str) -> None:
    rule(clients, {"Arn": arn})

    bus.deliver(captured())

    assert (bus.counters.deliveries, bus.counters.failed) == (0, 1)
    assert "none" in bus.counters.last_error


def test_put_events_keeps_detail_byte_for_byte(clients: Clients, bus: Bus) -> None:
    url = queue_rule(clients, pattern={"source": ["mine"]})
    entry = {
        **{"Source": "mine", "DetailType": "Something", "Detail": DETAIL.decode()},
        **{"Resources": ["arn:x"], "Time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)},
    }

    answer = clients("events").put_events(Entries=[entry])

    (body,) = bodies(clients, url)
    assert body.encode().endswith(b'"resources":["arn:x"],"detail":' + DETAIL + b"}")
    assert json.loads(body)["id"] == answer["Entries"][0]["EventId"]
    assert json.loads(body)["time"] == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Source": ""}, "InvalidArgument"),
        ({"DetailType": ""}, "InvalidArgument"),
        ({"Detail": ""}, "InvalidArgument"),
        ({"Detail": "{"}, "MalformedDetail"),
        ({"Detail": "[]"}, "MalformedDetail"),
    ],
)
def test_bad_entry_fails_alone(clients: Clients, bus: Bus, change: dict[str, str], code: str) -> None:
    good = {"Source": "mine", "DetailType": "t", "Detail": "{}"}

    answer = clients("events").put_events(Entries=[{**good, **change}, good])

    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == code
    assert "EventId" in answer["Entries"][1]


def test_events_of_aws_services_can_be_replayed(clients: Clients, bus: Bus) -> None:
    entry = {"Source": "aws.iam", "DetailType": "AWS API Call via CloudTrail", "Detail": "{}"}

    answer = clients("events").put_events(Entries=[entry])

    assert answer["FailedEntryCount"] == 0


@pytest.mark.parametrize(
    ("state", "record", "delivered"),
    [
        ("ENABLED", {"readOnly": False, "eventCategory": "Management"}, 1),
        ("ENABLED", {"readOnly": True, "eventCategory": "Management"}, 0),
        ("ENABLED", {"readOnly": True, "managementEvent": True}, 0),
        ("ENABLED", {"readOnly": True, "eventCategory": "Data", "managementEvent": False}, 1),
        (ALL_CALLS, {"readOnly": True, "eventCategory": "Management"}, 1),
    ],
)
def test_real_records_can_be_replayed(
    clients: Clients, bus: Bus, state: str, record: dict[str, Any], delivered: int
) -> None:
    url = queue_rule(clients, State=state)
    kind = "AWS API Call via CloudTrail"
    entry = {"Source": "aws.iam", "DetailType": kind, "Detail": json.dumps(record)}

    clients("events").put_events(Entries=[entry])

    assert len(bodies(clients, url)) == delivered


def test_request_over_a_mebibyte_is_refused(clients: Clients, bus: Bus) -> None:
    entry = {"Source": "mine", "DetailType": "t", "Detail": json.dumps({"x": "y" * 1_048_576})}

    with pytest.raises(ClientError, match="over the limit"):
        clients("events").put_events(Entries=[entry])


def test_other_bus_gets_the_event_unchanged(clients: Clients, bus: Bus) -> None:
    clients("events").create_event_bus(Name="audit")
    target = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/audit"
    url, queue = make_queue(clients)
    rule(clients, {"Arn": target})
    rule(clients, {"Arn": queue}, name="second", bus="audit")

    bus.deliver(captured())

    (body,) = bodies(clients, url)
    assert json.loads(body)["source"] == "aws.iam"
    assert body.encode().endswith(DETAIL + b"}")


@pytest.mark.parametrize(
    ("first", "second", "delivered"),
    [(ALL_CALLS, ALL_CALLS, 1), (ALL_CALLS, "ENABLED", 0), ("ENABLED", ALL_CALLS, 0)],
)
def test_management_reads_need_the_state_on_both_buses(
    clients: Clients, bus: Bus, first: str, second: str, delivered: int
) -> None:
    target = f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/default"
    url, queue = make_queue(clients)
    rule(clients, {"Arn": target}, State=first)
    events = clients("events", region="eu-west-1")
    events.put_rule(Name="second", EventPattern=json.dumps(ANY_CALL), State=second)
    events.put_targets(Rule="second", Targets=[{"Id": "1", "Arn": queue}])

    bus.deliver(captured(read_only=True))

    assert len(bodies(clients, url)) == delivered


def test_loop_of_buses_ends(clients: Clients, bus: Bus) -> None:
    rule(clients, {"Arn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"})

    bus.deliver(captured())

    assert bus.counters.events == MAX_HOPS + 1
    assert bus.counters.failed == 1


def test_s3_event_has_a_fresh_id_and_the_objects_facts(clients: Clients, bus: Bus) -> None:
    url = queue_rule(clients, pattern={"source": ["aws.s3"]})
    clients("s3").create_bucket(Bucket="audit-logs")
    clients("s3").put_bucket_notification_configuration(
        Bucket="audit-logs", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )

    for key in ("one", "two"):
        clients("s3").put_object(Bucket="audit-logs", Key=key, Body=b"x")

    events = [json.loads(body) for body in bodies(clients, url)]
    assert [event["detail"]["object"]["key"] for event in events] == ["one", "two"]
    assert [event["detail-type"] for event in events] == ["Object Created"] * 2
    assert len({event["id"] for event in events}) == 2


def test_archived_events_can_be_replayed(clients: Clients, bus: Bus) -> None:
    events = clients("events")
    default = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"
    archive = events.create_archive(ArchiveName="kept", EventSourceArn=default)["ArchiveArn"]
    url = queue_rule(clients, pattern={"source": ["mine"]})
    events.put_events(Entries=[{"Source": "mine", "DetailType": "t", "Detail": '{"a": 1}'}])
    moment = datetime(2026, 1, 1, tzinfo=UTC)

    events.start_replay(
        ReplayName="again",
        EventSourceArn=archive,
        EventStartTime=moment,
        EventEndTime=datetime(2027, 1, 1, tzinfo=UTC),
        Destination={"Arn": default},
    )

    first, replayed = (json.loads(body) for body in bodies(clients, url))
    assert "replay-name" not in first
    assert replayed["replay-name"] == "again"
    assert replayed["detail"] == {"a": 1}
    assert events.describe_archive(ArchiveName="kept")["EventCount"] == 1


# Coming home


@pytest.mark.parametrize("deployed", [False, True], ids=["no forwarder", "a forwarder"])
def test_a_record_of_another_region_comes_home_once(clients: Clients, bus: Bus, deployed: bool) -> None:
    """Collected by the laptop itself until a rule over there sends it to a bus at home."""
    url, queue = make_queue(clients, "intake")
    clients("events").create_event_bus(Name="home")
    rule(clients, {"Arn": queue}, name="calls", State=ALL_CALLS)
    rule(clients, {"Arn": queue}, name="home-calls", bus="home", State=ALL_CALLS)
    bus.collector = Collector(account=ACCOUNT, region="us-east-1", queue_arn=queue)
    if deployed:
        abroad = clients("events", region="eu-west-1")
        abroad.put_rule(Name="forward", EventPattern=json.dumps(ANY_CALL), State=ALL_CALLS)
        home = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/home"
        abroad.put_targets(Rule="forward", Targets=[{"Id": "Home", "Arn": home}])

    bus.deliver(captured(region="eu-west-1", read_only=True))

    (body,) = bodies(clients, url)
    assert json.loads(body)["region"] == "eu-west-1"
