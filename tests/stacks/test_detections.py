"""Detections: absent unless there are rules; then one EventBridge rule for each, and one function."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opentrail.adapters.sigma.folder import load
from opentrail.branches.detections import Detection, pattern_of
from opentrail.branches.detections.detection import from_json
from opentrail.branches.detections.pattern import CALLS
from opentrail.errors import SettingsError
from opentrail.settings import DetectionsSettings
from stacks.constructs.rules import ALL_SOURCES, DETAIL_TYPES
from stacks.detections import compiled
from tests.stacks.conftest import ROOT, Template, Templates
from tests.stacks.test_permissions import as_list

FOLDERS = (ROOT / "detections", Path(__file__).parent / "own_detections")
RULES = [rule for folder in FOLDERS for rule in load(folder).detections]
FUNCTION = "DetectionsFunction"


@pytest.fixture(scope="session")
def detections(configured: Templates) -> Template:
    """The stack, as configured."""
    assert configured.detections is not None
    return configured.detections


def test_nobody_gets_it_who_has_no_rules(templates: Templates) -> None:
    assert templates.detections is None


def test_patterns_are_about_the_calls_that_the_pipeline_records() -> None:
    assert CALLS == {"source": ALL_SOURCES, "detail-type": DETAIL_TYPES}


@pytest.mark.parametrize(("name", "bus"), [("Rule", None), ("HomeRule", "Audit-calls")])
@pytest.mark.parametrize("rule", RULES, ids=[rule.title for rule in RULES])
def test_each_rule_selects_its_calls_on_both_buses_and_says_which_it_is(
    detections: Template, rule: Detection, name: str, bus: str | None
) -> None:
    made = detections.of_type("AWS::Events::Rule")[f"{name}{rule.id.replace('-', '')}"]

    assert made.get("EventBusName") == bus
    assert made["EventPattern"] == pattern_of(rule.condition).body
    assert made["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    (target,) = made["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": [detections.id_of("AWS::Lambda::Function", FUNCTION), "Arn"]}
    assert target["InputTransformer"] == {
        "InputTemplate": f'{{"detection": "{rule.id}", "event": <aws.events.event.json>}}'
    }


def test_there_is_no_rule_but_those(detections: Template) -> None:
    assert len(detections.of_type("AWS::Events::Rule")) == 2 * len(RULES)


def test_one_permission_lets_the_rules_of_a_bus_call(detections: Template) -> None:
    permissions = detections.of_type("AWS::Lambda::Permission").values()

    assert {permission["Principal"] for permission in permissions} == {"events.amazonaws.com"}
    assert sorted(permission["SourceArn"]["Fn::Join"][1][-1] for permission in permissions) == [
        ":rule/Audit-calls/AuditDetections-*",
        ":rule/AuditDetections-*",
    ]


def test_the_compiled_rules_are_in_the_package_and_the_compiler_is_not(configured: Templates) -> None:
    (packaged,) = configured.directory.glob("asset.*/lambdas/detections/compiled.json")

    assert from_json(packaged.read_bytes()) == {rule.id: rule for rule in RULES}
    root = packaged.parents[2]
    assert (root / "opentrail" / "adapters" / "aws" / "findings.py").exists()
    assert not (root / "opentrail" / "adapters" / "sigma").exists()


def test_the_role_may_tell_findings_and_nothing_else(detections: Template) -> None:
    policy = detections.only("AWS::IAM::Policy", "RoleDefaultPolicy")
    statements: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]

    assert {action for s in statements for action in as_list(s["Action"])} == {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "events:PutEvents",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sns:Publish",
        "sqs:SendMessage",
    }
    (publish,) = (s for s in statements if s["Action"] == "sns:Publish")
    assert publish["Resource"] == "arn:aws:sns:us-east-1:123456789012:findings"


def test_the_environment_is_the_settings(detections: Template) -> None:
    variables = detections.only("AWS::Lambda::Function", FUNCTION)["Environment"]["Variables"]
    ours = {name: value for name, value in variables.items() if name.startswith("OPENTRAIL_")}

    assert set(ours) == {f"OPENTRAIL_{name.upper()}" for name in DetectionsSettings.__dataclass_fields__}


def test_whoever_moves_records_is_never_found_and_neither_is_the_function(
    configured: Templates, detections: Template
) -> None:
    def own(template: Template, name: str) -> str:
        variables = template.only("AWS::Lambda::Function", name)["Environment"]["Variables"]
        return json.dumps(variables["OPENTRAIL_OWN_ROLE_ARNS"])

    mine, recorded = own(detections, FUNCTION), own(configured.pipeline, "RecordFunction")

    for role in (
        "RecordRole",
        "DeliverRole",
        "DigestRole",
        "InsightsRole",
        "RollupRole",
        "role/Audit-detections-",
    ):
        assert role in mine
        assert role in recorded


def test_what_the_function_gives_up_waits_in_a_queue_and_an_alarm_tells(detections: Template) -> None:
    queue = {"Fn::GetAtt": [detections.id_of("AWS::SQS::Queue", "GivenUp"), "Arn"]}

    (invoked,) = detections.of_type("AWS::Lambda::EventInvokeConfig").values()
    assert invoked["DestinationConfig"] == {"OnFailure": {"Destination": queue}}
    (alarm,) = (
        a
        for a in detections.of_type("AWS::CloudWatch::Alarm").values()
        if a["MetricName"] == "ApproximateNumberOfMessagesVisible"
    )
    assert alarm["AlarmActions"] == ["arn:aws:sns:us-east-1:123456789012:on-call"]


def test_a_rule_that_cannot_be_compiled_stops_the_synthesis(tmp_path: Path) -> None:
    document = {"title": "Bad", "logsource": {"product": "linux"}}
    (tmp_path / "bad.yml").write_text(json.dumps(document))

    with pytest.raises(SettingsError, match=r"bad\.yml: Bad: its logsource is product linux"):
        compiled(str(tmp_path))


def test_what_is_probably_not_meant_is_a_warning_of_the_synthesis(configured: Templates) -> None:
    metadata = json.loads((configured.directory / "OpenTrailDetections.metadata.json").read_text())
    warnings = [m["data"] for entries in metadata.values() for m in entries if m["type"] == "aws:cdk:warning"]

    assert len([w for w in warnings if "records have no member status: it is always absent" in w]) == 1
