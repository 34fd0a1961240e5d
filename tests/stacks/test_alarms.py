"""Alarms: what is watched, and who hears of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.stacks.conftest import ROOT, Template, Templates

NOT_SHOWN = {
    "ChunksRepeated",
    "InsightsFailed",
}  # curiosities: what they mean shows as an alarm or not at all


def alarm(pipeline: Template, name: str) -> dict[str, Any]:
    return pipeline.only("AWS::CloudWatch::Alarm", f"Alarms{name}")


@pytest.mark.parametrize(
    ("name", "metric", "threshold"),
    [
        ("IntakeGivenUp", ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "IntakeDeadLetters"), 0),
        ("IntakeLate", ("AWS/SQS", "ApproximateAgeOfOldestMessage", "IntakeQueue"), 900),
        ("DeliveryGivenUp", ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "DeliveryDeadLetters"), 0),
        ("DeliveryLate", ("AWS/SQS", "ApproximateAgeOfOldestMessage", "DeliveryQueue"), 3600),
        ("DigestErrors", ("AWS/Lambda", "Errors", "DigestFunction"), 0),
        ("RecordErrors", ("AWS/Lambda", "Errors", "RecordFunction"), 0),
        ("DeliverThrottled", ("AWS/Lambda", "Throttles", "DeliverFunction"), 0),
        ("InsightsErrors", ("AWS/Lambda", "Errors", "InsightsFunction"), 0),
        ("RollupErrors", ("AWS/Lambda", "Errors", "RollupFunction"), 0),
    ],
)
def test_watched(pipeline: Template, name: str, metric: tuple[str, str, str], threshold: int) -> None:
    body = alarm(pipeline, name)

    (dimension,) = body["Dimensions"]
    assert (body["Namespace"], body["MetricName"]) == metric[:2]
    assert str(dimension["Value"]).count(metric[2]) == 1
    assert (body["Threshold"], body["ComparisonOperator"]) == (threshold, "GreaterThanThreshold")


def test_digest_alarm_watches_the_metric_its_handler_writes(pipeline: Template) -> None:
    body = alarm(pipeline, "DigestsFailed")

    variables = pipeline.only("AWS::Lambda::Function", "Digest")["Environment"]["Variables"]
    assert body["Namespace"] == variables["POWERTOOLS_METRICS_NAMESPACE"]
    assert body["Dimensions"] == [{"Name": "service", "Value": variables["POWERTOOLS_SERVICE_NAME"]}]
    assert body["MetricName"] == "DigestsFailed"


def test_quiet_is_not_alarming(pipeline: Template) -> None:
    alarms = pipeline.of_type("AWS::CloudWatch::Alarm").values()

    assert {body["TreatMissingData"] for body in alarms} == {"notBreaching"}


def test_nobody_is_told_unless_configured(pipeline: Template, configured: Templates) -> None:
    told = [
        [body.get("AlarmActions") for body in template.of_type("AWS::CloudWatch::Alarm").values()]
        for template in (pipeline, configured.pipeline)
    ]

    assert told == [[None] * 14, [["arn:aws:sns:us-east-1:123456789012:on-call"]] * 14]


def test_the_runbook_has_a_paragraph_for_every_alarm(templates: Templates) -> None:
    runbook = (ROOT / "docs" / "operating.md").read_text()

    parts = (templates.storage, templates.pipeline, templates.api, templates.integrity)
    names = {_name(id_) for part in parts for id_ in part.of_type("AWS::CloudWatch::Alarm")}
    assert {name for name in names if f"| `{name}` |" not in runbook} == set()


def _name(logical_id: str) -> str:
    return logical_id.removeprefix("Alarms")[:-8]  # CDK ends ids with eight characters of a hash


def test_the_dashboard_shows_what_the_handlers_count(pipeline: Template) -> None:
    (board,) = pipeline.of_type("AWS::CloudWatch::Dashboard").values()

    shown = json.dumps(board["DashboardBody"])
    for metric in re.findall(r'name="(\w+)"', _handlers()):
        assert metric in shown or metric in NOT_SHOWN


def _handlers() -> str:
    stages = ("record", "deliver", "digest", "insights")
    return "".join((ROOT / "lambdas" / stage / "handler.py").read_text() for stage in stages)
