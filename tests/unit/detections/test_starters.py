"""The rules of ``detections/``: each finds the call it is about, and not its harmless sister."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from opentrail.adapters.sigma.folder import read
from opentrail.branches.detections import Detection, compile_predicate, pattern_of
from opentrail.local.patterns import compile_pattern
from tests.support.records import make_record, sample_lines
from tests.unit.detections import naive

READINGS = read(Path(__file__).parents[3] / "detections")
RULES: dict[str, Detection] = {r.file.stem: r.detection for r in READINGS if r.detection is not None}

ROOT_USER = {"type": "Root", "arn": "arn:aws:iam::123456789012:root"}
USER = {"type": "IAMUser", "userName": "alice"}
SUCCESS = {"ConsoleLogin": "Success"}


def call(service: str, name: str, parameters: Any = None, **more: Any) -> dict[str, Any]:
    """The record of a call."""
    return make_record(
        eventSource=f"{service}.amazonaws.com", eventName=name, requestParameters=parameters, **more
    )


def login(**more: Any) -> dict[str, Any]:
    """The record of a sign-in."""
    return call("signin", "ConsoleLogin", **{"userIdentity": USER, "responseElements": SUCCESS, **more})


def rule_of(port: int, cidr: str) -> dict[str, Any]:
    """The parameters that open a port."""
    ranges = {"items": [{"cidrIp": cidr}]}
    return {"ipPermissions": {"items": [{"fromPort": port, "toPort": port, "ipRanges": ranges}]}}


def shared(member: str, with_: str) -> dict[str, Any]:
    """The parameters that share a snapshot or an image."""
    return {member: {"add": {"items": [{with_: "all" if with_ == "group" else "111122223333"}]}}}


ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
CASES = {
    "admin_policy_attached": (
        [call("iam", "AttachRolePolicy", {"roleName": "r", "policyArn": ADMIN})],
        [
            call("iam", "AttachRolePolicy", {"policyArn": ADMIN}, errorCode="AccessDenied"),
            call("iam", "AttachRolePolicy", {"policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
            call("iam", "DetachRolePolicy", {"policyArn": ADMIN}),
        ],
    ),
    "attack_tool": (
        [call("s3", "ListBuckets", userAgent="[aws-cli/2.9 Python/3.11 Linux/6.1.0-kali5-amd64]")],
        [call("s3", "ListBuckets", userAgent="[aws-cli/2.9 Python/3.11 Linux/6.1.0-amd64]")],
    ),
    "function_opened": (
        [call("lambda", "AddPermission20150331v2", {"functionName": "f", "principal": "*"})],
        [call("lambda", "AddPermission20150331v2", {"principal": "events.amazonaws.com"})],
    ),
    "guard_switched_off": (
        [
            call("guardduty", "DeleteDetector"),
            call("guardduty", "UpdateDetector", {"enable": False}),
            call("config", "StopConfigurationRecorder"),
            call("securityhub", "DisableSecurityHub"),
        ],
        [
            call("guardduty", "UpdateDetector", {"enable": True}),
            call("config", "StopConfigurationRecorder", errorCode="AccessDenied"),
        ],
    ),
    "key_for_somebody_else": (
        [call("iam", "CreateAccessKey", {"userName": "bob"}, userIdentity=USER)],
        [
            call("iam", "CreateAccessKey", {"userName": "alice"}, userIdentity=USER),
            call("iam", "CreateAccessKey", userIdentity=USER),
        ],
    ),
    "login_without_mfa": (
        [login(additionalEventData={"MFAUsed": "No"}), login(additionalEventData=None)],
        [
            login(additionalEventData={"MFAUsed": "Yes"}),
            login(responseElements={"ConsoleLogin": "Failure"}),
            login(userIdentity={"type": "AssumedRole"}),
        ],
    ),
    "root_access_key_created": (
        [call("iam", "CreateAccessKey", userIdentity=ROOT_USER)],
        [
            call("iam", "CreateAccessKey", userIdentity=USER),
            call("iam", "CreateAccessKey", {"userName": "bob"}, userIdentity=ROOT_USER),
        ],
    ),
    "root_signed_in": (
        [login(userIdentity=ROOT_USER)],
        [login(), login(userIdentity=ROOT_USER, responseElements={"ConsoleLogin": "Failure"})],
    ),
    "security_group_opened": (
        [
            call("ec2", "AuthorizeSecurityGroupIngress", rule_of(22, "0.0.0.0/0")),
            call(
                "ec2",
                "AuthorizeSecurityGroupIngress",
                {
                    "ipPermissions": {
                        "items": [{"ipProtocol": "-1", "ipv6Ranges": {"items": [{"cidrIpv6": "::/0"}]}}]
                    }
                },
            ),
        ],
        [
            call("ec2", "AuthorizeSecurityGroupIngress", rule_of(443, "0.0.0.0/0")),
            call("ec2", "AuthorizeSecurityGroupIngress", rule_of(22, "10.0.0.0/8")),
            call("ec2", "RevokeSecurityGroupIngress", rule_of(22, "0.0.0.0/0")),
        ],
    ),
    "snapshot_made_public": (
        [
            call("ec2", "ModifySnapshotAttribute", shared("createVolumePermission", "group")),
            call("ec2", "ModifyImageAttribute", shared("launchPermission", "group")),
            call(
                "rds",
                "ModifyDBSnapshotAttribute",
                {"attributeName": "restore", "valuesToAdd": ["111122223333", "all"]},
            ),
        ],
        [
            call("ec2", "ModifySnapshotAttribute", shared("createVolumePermission", "userId")),
            call("rds", "ModifyDBSnapshotAttribute", {"attributeName": "restore", "valuesToAdd": ["1"]}),
        ],
    ),
    "trail_stopped": (
        [call("cloudtrail", "StopLogging", {"name": "main"}), call("cloudtrail", "DeleteTrail")],
        [call("cloudtrail", "StartLogging"), call("other", "StopLogging")],
    ),
}


def test_every_rule_is_usable_and_tried_here() -> None:
    assert [(str(r), r.notes) for r in READINGS if r.problem or r.notes] == []
    assert set(RULES) == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_each_finds_its_calls_and_leaves_the_others(name: str) -> None:
    matches = compile_predicate(RULES[name].condition)
    found, left = CASES[name]

    assert [matches(record) for record in found] == [True] * len(found)
    assert [matches(record) for record in left] == [False] * len(left)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_each_says_how_grave_it_is_and_what_else_may_look_so(rule: Detection) -> None:
    assert rule.level in ("medium", "high", "critical")
    assert rule.description
    assert rule.falsepositives
    assert all(tag.startswith("attack.") for tag in rule.tags)


def test_in_real_records_they_find_what_is_there() -> None:
    records = [json.loads(line) for line in sample_lines()]
    tests = {name: compile_predicate(rule.condition) for name, rule in RULES.items()}

    assert Counter(name for record in records for name, matches in tests.items() if matches(record)) == {
        "key_for_somebody_else": 1,
        "login_without_mfa": 1,
        "root_signed_in": 1,
        "snapshot_made_public": 1,
        "trail_stopped": 7,
    }


def test_in_real_records_matcher_and_pattern_agree_with_a_plain_reading() -> None:
    records = [json.loads(line) for line in sample_lines()]
    for reading in READINGS:
        detection = yaml.safe_load(reading.file.read_text())["detection"]
        assert reading.detection is not None
        matches = compile_predicate(reading.detection.condition)
        pattern = pattern_of(reading.detection.condition)
        selects = compile_pattern(json.dumps(pattern.body))
        expected = [naive.matches(detection, record) for record in records]
        event = {"source": "aws.any", "detail-type": "AWS API Call via CloudTrail"}
        selected = [selects({**event, "detail": record}) for record in records]

        assert [matches(record) for record in records] == expected
        assert (
            selected == expected
            if pattern.exact
            else all(s or not e for s, e in zip(selected, expected, strict=True))
        )
