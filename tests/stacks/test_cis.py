"""CIS alarms: every control is watched, in the log group a trail fills, and somebody hears of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opentrail.local.deployer.providers import PROVIDERS
from opentrail.local.filter_patterns import compile_filter
from stacks.constructs.cis_controls import CONTROLS
from tests.stacks.conftest import Template, Templates, synthesise
from tests.stacks.test_checks import violations

NUMBERS = [f"4.{number}" for number in range(1, 16)]
MAX_PATTERN = 1024  # characters; CloudWatch Logs API, PutMetricFilter


@pytest.fixture(scope="session")
def cis(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """An installation with CIS alarms, and nothing else chosen."""
    return synthesise(tmp_path_factory.mktemp("cis"), {"cisAlarms": True})


@pytest.fixture(scope="session")
def stack(cis: Templates) -> Template:
    return cis.read("OpenTrailCis")


@pytest.fixture(scope="session")
def given(configured: Templates) -> Template:
    """The stack of an installation that names its log group and its topic."""
    return configured.read("OpenTrailCis")


def test_every_control_of_section_4_is_there_once() -> None:
    assert [control.number for control in CONTROLS] == NUMBERS
    assert len({control.name for control in CONTROLS}) == len(CONTROLS)
    assert max(len(control.pattern) for control in CONTROLS) <= MAX_PATTERN


@pytest.mark.parametrize("control", CONTROLS, ids=NUMBERS)
def test_a_control_has_a_filter_and_an_alarm_on_its_metric(stack: Template, control: Any) -> None:
    found = stack.only("AWS::Logs::MetricFilter", f"Cis{control.name}Filter")
    alarm = alarms(stack)[control.name]

    (metric,) = found["MetricTransformations"]
    assert found["FilterPattern"] == control.pattern
    assert metric == {"MetricName": control.name, "MetricNamespace": "OpenTrail/CIS", "MetricValue": "1"}
    assert (alarm["MetricName"], alarm["Namespace"]) == (control.name, "OpenTrail/CIS")
    assert control.number in alarm["AlarmDescription"].split(", ")[0].split()


def call(name: str, source: str = "ec2", **members: Any) -> dict[str, Any]:
    return {"eventSource": f"{source}.amazonaws.com", "eventName": name, **members}


def sign_in(result: str, **members: Any) -> dict[str, Any]:
    return call("ConsoleLogin", "signin", responseElements={"ConsoleLogin": result}, **members)


ROOT = {"type": "Root"}
USER = {"type": "IAMUser"}
NO_MFA, MFA = {"MFAUsed": "No"}, {"MFAUsed": "Yes"}


@pytest.mark.parametrize(
    ("number", "record", "harmless"),
    [
        ("4.1", call("RunInstances", errorCode="Client.UnauthorizedOperation"), call("RunInstances")),
        (
            "4.1",
            call("PutObject", "s3", errorCode="AccessDenied", sourceIPAddress="1.2.3.4"),
            call("HeadBucket", "s3", errorCode="AccessDenied", sourceIPAddress="1.2.3.4"),
        ),
        (
            "4.2",
            sign_in("Success", userIdentity=USER, additionalEventData=NO_MFA),
            sign_in("Success", userIdentity=USER, additionalEventData=MFA),
        ),
        (
            "4.3",
            call("CreateUser", "iam", userIdentity=ROOT, eventType="AwsApiCall"),
            call("CreateUser", "iam", userIdentity={**ROOT, "invokedBy": "x"}, eventType="AwsApiCall"),
        ),
        ("4.4", call("AttachUserPolicy", "iam"), call("AttachPolicy", "organizations")),
        ("4.5", call("StopLogging", "cloudtrail"), call("GetTrail", "cloudtrail")),
        ("4.6", sign_in("Failure", errorMessage="Failed authentication"), sign_in("Success")),
        ("4.7", call("DisableKey", "kms"), call("DisableKey", "payment-cryptography")),
        ("4.8", call("PutBucketPolicy", "s3"), call("GetBucketPolicy", "s3")),
        ("4.9", call("StopConfigurationRecorder", "config"), call("StartConfigurationRecorder", "config")),
        ("4.10", call("AuthorizeSecurityGroupIngress"), call("DescribeSecurityGroups")),
        ("4.11", call("ReplaceNetworkAclEntry"), call("DescribeNetworkAcls")),
        ("4.12", call("AttachInternetGateway"), call("DescribeInternetGateways")),
        ("4.13", call("DeleteRoute"), call("DeleteRoute", "appmesh")),
        ("4.14", call("ModifyVpcAttribute"), call("DescribeVpcs")),
        ("4.15", call("LeaveOrganization", "organizations"), call("CreatePolicy", "iam")),
    ],
)
def test_a_pattern_takes_what_its_control_is_about_and_leaves_the_rest(
    number: str, record: dict[str, Any], harmless: dict[str, Any]
) -> None:
    (control,) = (control for control in CONTROLS if control.number == number)
    taken = compile_filter(control.pattern)

    assert [taken(json.dumps(one)) for one in ({"sourceIPAddress": "::1", **record}, harmless)] == [
        True,
        False,
    ]


def test_one_record_in_five_minutes_is_enough_and_silence_is_not_alarming(stack: Template) -> None:
    kinds = {
        (a["Statistic"], a["Period"], a["Threshold"], a["ComparisonOperator"], a["TreatMissingData"])
        for a in alarms(stack).values()
    }

    assert kinds == {("Sum", 300, 1, "GreaterThanOrEqualToThreshold", "notBreaching")}


def test_every_alarm_tells_the_topic(stack: Template, given: Template) -> None:
    own = {"Ref": stack.id_of("AWS::SNS::Topic", "Topic")}

    assert [alarm["AlarmActions"] for alarm in alarms(stack).values()] == [[own]] * len(CONTROLS)
    assert [alarm["AlarmActions"] for alarm in alarms(given).values()] == [
        ["arn:aws:sns:us-east-1:123456789012:on-call"]
    ] * len(CONTROLS)


def test_the_log_group_and_the_topic_are_encrypted_with_a_key_for_them_alone(stack: Template) -> None:
    key = {"Fn::GetAtt": [stack.id_of("AWS::KMS::Key", "Key"), "Arn"]}

    group, topic = stack.only("AWS::Logs::LogGroup", "TrailLogs"), stack.only("AWS::SNS::Topic", "Topic")

    assert group == {"KmsKeyId": key, "LogGroupName": "OpenTrail/trail", "RetentionInDays": 365}
    assert topic == {"KmsMasterKeyId": key}


def test_what_the_installation_names_is_not_made(given: Template) -> None:
    kinds = {resource["Type"] for resource in given.body["Resources"].values()}

    assert kinds == {"AWS::CloudWatch::Alarm", "AWS::IAM::Role", "AWS::Logs::MetricFilter"}
    groups = {body["LogGroupName"] for body in given.of_type("AWS::Logs::MetricFilter").values()}
    assert groups == {"central-trail"}


@pytest.mark.parametrize(
    ("installation", "group"), [("cis", "OpenTrail/trail"), ("configured", "central-trail")]
)
def test_the_record_function_may_fill_the_watched_group(
    installation: str, group: str, request: pytest.FixtureRequest
) -> None:
    templates: Templates = request.getfixturevalue(installation)
    policy = templates.pipeline.only("AWS::IAM::Policy", "RecordRole")["PolicyDocument"]["Statement"]

    resources = [
        str(s["Resource"]) for s in policy if s["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    ]

    assert [text for text in resources if f":log-group:{group}:log-stream:*_CloudTrail_*" in text]


def test_the_laptop_builds_it_and_no_rule_is_broken(cis: Templates, stack: Template) -> None:
    assert {resource["Type"] for resource in stack.body["Resources"].values()} <= set(PROVIDERS)
    assert violations(cis.directory) == []


def test_nothing_of_it_is_made_unless_asked_for(templates: Templates) -> None:
    assert not (Path(templates.directory) / "OpenTrailCis.template.json").exists()


def alarms(stack: Template) -> dict[str, dict[str, Any]]:
    """The alarms by their metric."""
    return {alarm["MetricName"]: alarm for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()}
