"""The validate function as deployed: it reads, tells, and changes nothing."""

from __future__ import annotations

import json

from opentrail.settings import ValidateSettings
from tests.stacks.conftest import Template, Templates
from tests.stacks.test_permissions import OWN_LOGS, as_list, named, statements

READ = {"s3:GetObject", "s3:GetObjectRetention"}
TOPIC = "arn:aws:sns:us-east-1:123456789012:proofs"


def actions(template: Template) -> list[set[str]]:
    return [set(as_list(s["Action"])) for s in statements(template, "Validation")]


def test_it_may_read_and_tell_and_nothing_else(integrity: Template) -> None:
    granted = set().union(*actions(integrity))

    assert granted == {
        *OWN_LOGS,
        *READ,
        "dynamodb:Query",
        "dynamodb:Scan",
        "events:PutEvents",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:GetPublicKey",
        "s3:GetBucketLocation",
        "s3:ListBucket",
    }


def test_it_queries_the_ledger_and_the_anchor(integrity: Template) -> None:
    queried = [
        named(resource)
        for s in statements(integrity, "Validation")
        if "dynamodb:Query" in as_list(s["Action"])
        for resource in as_list(s["Resource"])
    ]

    assert sorted(queried) == ["AnchorTable", "LedgerTable"]


def test_it_reads_configured_buckets_and_keys_and_may_tell_the_configured_topic(
    configured: Templates,
) -> None:
    said = json.dumps(statements(configured.integrity, "Validation"))

    for name in ("team-a-logs", "team-b-logs"):
        assert f":::{name}/AWSLogs/*" in said
    assert "key/11111111-2222-3333-4444-555555555555" in said
    assert [s["Resource"] for s in statements(configured.integrity, "Validation")
            if s["Action"] == "sns:Publish"] == [TOPIC]  # fmt: skip


def test_environment_is_exactly_the_settings(integrity: Template, configured: Templates) -> None:
    for template, lock in ((integrity, ("", "0", "")), (configured.integrity, ("COMPLIANCE", "365", TOPIC))):
        environment = template.only("AWS::Lambda::Function", "Validation")["Environment"]["Variables"]
        wanted = {"OPENTRAIL_" + name.upper() for name in ValidateSettings.__dataclass_fields__}
        assert {name for name in environment if not name.startswith("POWERTOOLS_")} == wanted
        names = ("LOCK_MODE", "LOCK_DAYS", "REPORT_TOPIC_ARN")
        assert tuple(environment[f"OPENTRAIL_{name}"] for name in names) == lock


def test_it_runs_daily_unless_configured(integrity: Template, configured: Templates) -> None:
    schedules = [
        template.only("AWS::Events::Rule", "ValidationValidateClock")["ScheduleExpression"]
        for template in (integrity, configured.integrity)
    ]

    assert schedules == ["cron(45 2 * * ? *)", "rate(6 hours)"]


def test_alarms_watch_the_metrics_its_handler_writes(integrity: Template) -> None:
    variables = integrity.only("AWS::Lambda::Function", "Validation")["Environment"]["Variables"]
    for name in ("ValidationFindings", "ValidationUnchecked"):
        body = integrity.only("AWS::CloudWatch::Alarm", f"Alarms{name}")
        assert (body["MetricName"], body["Namespace"]) == (name, variables["POWERTOOLS_METRICS_NAMESPACE"])
        assert body["Dimensions"] == [{"Name": "service", "Value": variables["POWERTOOLS_SERVICE_NAME"]}]
        assert (body["Threshold"], body["ComparisonOperator"]) == (0, "GreaterThanThreshold")
