"""Promises of the pipeline stack: queues, rules, functions and their environment."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.settings import (
    DeliverSettings,
    DigestSettings,
    InsightsSettings,
    RecordSettings,
    RollupSettings,
    Settings,
)
from tests.stacks.conftest import Template, Templates

STAGES: dict[str, type[Settings]] = {
    "record": RecordSettings,
    "deliver": DeliverSettings,
    "digest": DigestSettings,
    "insights": InsightsSettings,
    "rollup": RollupSettings,
}
QUEUES = ("IntakeQueue", "DeliveryQueue")
DEAD_LETTERS = ("IntakeDeadLetters", "DeliveryDeadLetters")
FOURTEEN_DAYS = 14 * 86_400
LONGEST_WINDOW = 300  # seconds; Lambda collects no longer


def function(pipeline: Template, stage: str) -> dict[str, Any]:
    return pipeline.only("AWS::Lambda::Function", stage.capitalize())


def queue(pipeline: Template, name: str) -> dict[str, Any]:
    return pipeline.only("AWS::SQS::Queue", name)


def queue_statements(pipeline: Template, name: str) -> list[dict[str, Any]]:
    return list(pipeline.only("AWS::SQS::QueuePolicy", name)["PolicyDocument"]["Statement"])


def poller(pipeline: Template, stage: str) -> dict[str, Any]:
    return pipeline.only("AWS::Lambda::EventSourceMapping", stage.capitalize())


def rule(pipeline: Template, name: str) -> dict[str, Any]:
    return pipeline.only("AWS::Events::Rule", name)


# Functions


@pytest.mark.parametrize("stage", STAGES)
def test_environment_is_exactly_the_settings(pipeline: Template, stage: str) -> None:
    environment = function(pipeline, stage)["Environment"]["Variables"]

    wanted = {"OPENTRAIL_" + name.upper() for name in STAGES[stage].__dataclass_fields__}
    assert {name for name in environment if not name.startswith("POWERTOOLS_")} == wanted


@pytest.mark.parametrize("stage", STAGES)
def test_handler_reads_the_environment_the_stack_wrote(pipeline: Template, stage: str) -> None:
    deployed = {
        name: deployed_text(pipeline, value)
        for name, value in function(pipeline, stage)["Environment"]["Variables"].items()
    }

    settings = STAGES[stage].from_env(deployed)

    assert settings.to_env().items() <= deployed.items()


def test_record_knows_all_roles_of_the_line(pipeline: Template) -> None:
    joined = function(pipeline, "record")["Environment"]["Variables"]["OPENTRAIL_OWN_ROLE_ARNS"]["Fn::Join"]

    roles = [pipeline.id_of("AWS::IAM::Role", f"{stage.capitalize()}Role") for stage in STAGES]
    assert [part["Fn::GetAtt"] for part in joined[1] if part != ","] == [[role, "Arn"] for role in roles]


@pytest.mark.parametrize("stage", STAGES)
def test_function_runs_its_own_handler_from_one_asset(pipeline: Template, stage: str) -> None:
    body = function(pipeline, stage)

    assert body["Handler"] == f"lambdas.{stage}.handler.handler"
    assert (body["Runtime"], body["Architectures"]) == ("python3.13", ["arm64"])
    assert body["Code"] == function(pipeline, "record")["Code"]
    assert body["Layers"] == [{"Ref": pipeline.id_of("AWS::Lambda::LayerVersion", "Packages")}]


@pytest.mark.parametrize("stage", STAGES)
def test_function_logs_json_to_a_group_that_expires(pipeline: Template, stage: str) -> None:
    group = pipeline.id_of("AWS::Logs::LogGroup", stage.capitalize())

    assert function(pipeline, stage)["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": group}}
    assert pipeline.body["Resources"][group]["Properties"] == {"RetentionInDays": 30}
    assert pipeline.body["Resources"][group]["DeletionPolicy"] == "Delete"


def test_settling_waits_longer_than_delivery_runs(pipeline: Template) -> None:
    settle = {
        function(pipeline, stage)["Environment"]["Variables"]["OPENTRAIL_SETTLE_SECONDS"]
        for stage in ("deliver", "digest")
    }

    (seconds,) = settle
    assert function(pipeline, "deliver")["Timeout"] < int(seconds) < 5 * 60  # digests are made at five past


def test_worst_chunk_fits_a_message(pipeline: Template) -> None:
    raw = int(function(pipeline, "record")["Environment"]["Variables"]["OPENTRAIL_MAX_CHUNK_BYTES"])

    assert raw * 4 / 3 < 1_048_576 - 4096  # base64; SQS's limit less what names the chunk


# Queues


@pytest.mark.parametrize("name", [*QUEUES, *DEAD_LETTERS])
def test_queue_keeps_messages_as_long_as_sqs_can(pipeline: Template, name: str) -> None:
    assert queue(pipeline, name)["MessageRetentionPeriod"] == FOURTEEN_DAYS


@pytest.mark.parametrize("name", [*QUEUES, *DEAD_LETTERS])
def test_queue_takes_the_largest_messages(pipeline: Template, name: str) -> None:
    assert queue(pipeline, name)["MaximumMessageSize"] == 1_048_576


@pytest.mark.parametrize("name", [*QUEUES, *DEAD_LETTERS])
def test_queue_encrypts_with_our_key(pipeline: Template, name: str) -> None:
    key = queue(pipeline, name)["KmsMasterKeyId"]["Fn::ImportValue"]

    assert "EncryptionKey" in key


@pytest.mark.parametrize("name", [*QUEUES, *DEAD_LETTERS])
def test_queue_denies_plain_http(pipeline: Template, name: str) -> None:
    denied = [s["Condition"] for s in queue_statements(pipeline, name) if s["Effect"] == "Deny"]

    assert denied == [{"Bool": {"aws:SecureTransport": "false"}}]


@pytest.mark.parametrize("name", ["Intake", "Delivery"])
def test_failed_messages_go_to_the_queues_own_dead_letters(pipeline: Template, name: str) -> None:
    dead_letters = pipeline.id_of("AWS::SQS::Queue", f"{name}DeadLetters")

    redrive = queue(pipeline, f"{name}Queue")["RedrivePolicy"]

    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": [dead_letters, "Arn"]}


@pytest.mark.parametrize(("name", "stage"), [("Intake", "record"), ("Delivery", "deliver")])
def test_message_hides_six_times_as_long_as_its_function_runs(
    pipeline: Template, name: str, stage: str
) -> None:
    hidden = queue(pipeline, f"{name}Queue")["VisibilityTimeout"]

    assert hidden == 6 * function(pipeline, stage)["Timeout"] + LONGEST_WINDOW


def test_broken_bucket_is_tried_for_days_and_then_there_are_days_to_redrive(pipeline: Template) -> None:
    body = queue(pipeline, "DeliveryQueue")

    tried_seconds = body["RedrivePolicy"]["maxReceiveCount"] * body["VisibilityTimeout"]

    assert 3 * 86_400 < tried_seconds < FOURTEEN_DAYS / 2


# Rules


def test_every_call_cloudtrail_reports_reaches_intake(pipeline: Template) -> None:
    calls = rule(pipeline, "Calls")

    assert calls["EventPattern"] == {
        "source": [{"prefix": "aws."}],
        "detail-type": [
            "AWS API Call via CloudTrail",
            "AWS Console Sign In via CloudTrail",
            "AWS Console Action via CloudTrail",
            "AWS Service Event via CloudTrail",
            "AWS Network Activity Event via CloudTrail",
        ],
    }
    assert "EventBusName" not in calls  # the default bus
    assert calls["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def test_what_cannot_reach_intake_is_kept(pipeline: Template) -> None:
    (target,) = rule(pipeline, "Calls")["Targets"]

    assert target["Arn"] == arn(pipeline, "IntakeQueue")
    assert target["DeadLetterConfig"] == {"Arn": arn(pipeline, "IntakeDeadLetters")}


@pytest.mark.parametrize("name", ["IntakeQueue", "IntakeDeadLetters"])
def test_only_the_rules_of_both_buses_may_send_by_queue_policy(pipeline: Template, name: str) -> None:
    (allowed,) = (s for s in queue_statements(pipeline, name) if s["Effect"] == "Allow")

    rules = [pipeline.id_of("AWS::Events::Rule", name) for name in ("Calls", "HomeBus")]
    assert (allowed["Action"], allowed["Principal"]) == (
        "sqs:SendMessage",
        {"Service": "events.amazonaws.com"},
    )
    assert allowed["Condition"] == {
        "ArnEquals": {"aws:SourceArn": [{"Fn::GetAtt": [rule, "Arn"]} for rule in rules]}
    }


@pytest.mark.parametrize("name", ["DeliveryQueue", "DeliveryDeadLetters"])
def test_nobody_may_send_to_delivery_by_queue_policy(pipeline: Template, name: str) -> None:
    assert not [s for s in queue_statements(pipeline, name) if s["Effect"] == "Allow"]


def test_digests_are_made_by_the_clock(pipeline: Template) -> None:
    clock = rule(pipeline, "DigestClock")

    assert clock["ScheduleExpression"] == {"Ref": "DigestSchedule"}
    check_permission(pipeline, "DigestClock")


def test_minutes_are_judged_by_the_clock(pipeline: Template) -> None:
    assert rule(pipeline, "InsightsClock")["ScheduleExpression"] == "rate(1 minute)"
    check_permission(pipeline, "InsightsClock")


def test_history_is_rolled_up_every_hour(pipeline: Template) -> None:
    assert rule(pipeline, "RollupClock")["ScheduleExpression"] == "cron(40 * * * ? *)"
    check_permission(pipeline, "RollupClock")


def check_permission(pipeline: Template, clock: str) -> None:
    """The rule, and no other, may invoke its function."""
    source = pipeline.id_of("AWS::Events::Rule", clock)
    permissions = pipeline.of_type("AWS::Lambda::Permission").values()
    (permission,) = (p for p in permissions if p["SourceArn"] == {"Fn::GetAtt": [source, "Arn"]})
    assert permission["FunctionName"] == rule(pipeline, clock)["Targets"][0]["Arn"]


# Cadence


@pytest.mark.parametrize(
    ("stage", "name", "batch", "window", "concurrency"),
    [
        ("record", "IntakeQueue", 10_000, "IntakeWindowSeconds", 2),
        ("deliver", "DeliveryQueue", 10_000, "DeliveryWindowSeconds", 2),
    ],
)
def test_poller(pipeline: Template, stage: str, name: str, batch: int, window: str, concurrency: int) -> None:
    assert poller(pipeline, stage) == {
        "BatchSize": batch,
        "EventSourceArn": arn(pipeline, name),
        "FunctionName": {"Ref": pipeline.id_of("AWS::Lambda::Function", stage.capitalize())},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "MaximumBatchingWindowInSeconds": {"Ref": window},
        "ScalingConfig": {"MaximumConcurrency": concurrency},
    }


def test_cadence_is_cloudtrails_by_default(pipeline: Template) -> None:
    defaults = {
        name: parameter["Default"]
        for name, parameter in pipeline.body["Parameters"].items()
        if name != "BootstrapVersion"
    }

    assert defaults == {
        "IntakeWindowSeconds": 60,
        "DeliveryWindowSeconds": 300,
        "TrailCacheSeconds": 60,
        "LateSeconds": 600,
        "DigestPeriodSeconds": 3600,
        "DigestSchedule": "cron(5 * * * ? *)",
        "InsightsLagMinutes": 9,
    }


def test_outputs(pipeline: Template) -> None:
    assert set(pipeline.body["Outputs"]) == {
        "HomeBusArn",
        "IntakeQueueUrl",
        "IntakeDeadLetterQueueUrl",
        "DeliveryQueueUrl",
        "DeliveryDeadLetterQueueUrl",
        "RecordFunctionName",
        "DeliverFunctionName",
        "DigestFunctionName",
        "InsightsFunctionName",
        "RollupFunctionName",
    }


def test_configured_numbers_reach_the_functions(configured: Templates) -> None:
    pipeline = configured.pipeline

    variables = function(pipeline, "deliver")["Environment"]["Variables"]

    assert variables["OPENTRAIL_HISTORY_DAYS"] == "120"
    assert {group["RetentionInDays"] for group in pipeline.of_type("AWS::Logs::LogGroup").values()} == {7}


def arn(pipeline: Template, name: str) -> dict[str, list[str]]:
    """Reference to the ARN of the queue called ``name``."""
    return {"Fn::GetAtt": [pipeline.id_of("AWS::SQS::Queue", name), "Arn"]}


def deployed_text(pipeline: Template, value: Any) -> str:
    """What a variable may hold once deployed: a parameter's default, else any text."""
    if isinstance(value, dict) and value.get("Ref") in pipeline.body["Parameters"]:
        return str(pipeline.body["Parameters"][value["Ref"]]["Default"])
    return value if isinstance(value, str) else "deployed"
