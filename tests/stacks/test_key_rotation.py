"""Key rotation as deployed: who may make signing keys, who may use them, and when."""

from __future__ import annotations

import json
from typing import Any

from opentrail.settings import SIGNING_KEY_PARTITION, SIGNING_KEY_TAG, RotateSettings
from tests.stacks.conftest import Template, Templates
from tests.stacks.test_permissions import AT_REST, OWN_LOGS, as_list, named, statements

TAG = f"aws:ResourceTag/{SIGNING_KEY_TAG}"


def test_rotation_may_make_keys_and_register_them_and_nothing_else(integrity: Template) -> None:
    actions = [set(as_list(s["Action"])) for s in statements(integrity, "Rotation")]

    assert sorted(map(sorted, actions)) == sorted(
        map(
            sorted,
            [
                OWN_LOGS,
                AT_REST,
                {"dynamodb:PutItem", "dynamodb:Query"},
                {"kms:DescribeKey", "kms:GetPublicKey"},
                {"kms:CreateKey"},
                {"kms:TagResource"},
                {"kms:GetPublicKey"},
            ],
        )
    )


def test_the_keys_it_makes_are_for_signing_and_carry_the_tag(integrity: Template) -> None:
    make = one(integrity, "Rotation", "kms:CreateKey")

    assert make["Condition"] == {
        "StringEquals": {
            "kms:KeySpec": "RSA_2048",
            "kms:KeyUsage": "SIGN_VERIFY",
            f"aws:RequestTag/{SIGNING_KEY_TAG}": "OpenTrail",
        }
    }


def test_it_sees_no_other_part_of_the_ledger(integrity: Template, api: Template) -> None:
    for template, role in ((integrity, "Rotation"), (api, "Api")):
        (use,) = (s for s in statements(template, role) if "LedgerTable" in json.dumps(s["Resource"]))
        assert use["Condition"] == {
            "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [SIGNING_KEY_PARTITION]}
        }
        assert named(use["Resource"]) == "LedgerTable"


def test_the_digest_function_may_sign_with_keys_of_its_own_installation_only(
    pipeline: Template, configured: Templates
) -> None:
    for template, owner in ((pipeline, "OpenTrail"), (configured.pipeline, "Audit")):
        signing = [s for s in statements(template, "Digest") if "kms:Sign" in as_list(s["Action"])]
        (rotated,) = (s for s in signing if "key/*" in json.dumps(s["Resource"]))
        assert rotated["Action"] == "kms:Sign"
        assert rotated["Condition"] == {"StringEquals": {TAG: owner}}


def test_nobody_else_may_sign(templates: Templates) -> None:
    signers = [
        name
        for template in (templates.pipeline, templates.api, templates.integrity)
        for name, policy in template.of_type("AWS::IAM::Policy").items()
        if '"kms:Sign"' in json.dumps(policy)
    ]

    assert [name[: len("DigestRole")] for name in signers] == ["DigestRole"]


def test_new_keys_get_the_policy_of_the_first(integrity: Template, storage: Template) -> None:
    environment = integrity.only("AWS::Lambda::Function", "Rotation")["Environment"]["Variables"]
    given = json.loads(spelled(environment["OPENTRAIL_KEY_POLICY"]))

    assert given == json.loads(spelled(storage.only("AWS::KMS::Key", "SigningKey")["KeyPolicy"]))


def test_environment_is_exactly_the_settings(integrity: Template, configured: Templates) -> None:
    for template, days in ((integrity, "30"), (configured.integrity, "7")):
        environment = template.only("AWS::Lambda::Function", "Rotation")["Environment"]["Variables"]
        wanted = {"OPENTRAIL_" + name.upper() for name in RotateSettings.__dataclass_fields__}
        assert {name for name in environment if not name.startswith("POWERTOOLS_")} == wanted
        assert environment["OPENTRAIL_ROTATION_DAYS"] == days


def test_it_runs_every_hour_and_somebody_hears_when_it_fails(
    integrity: Template, configured: Templates
) -> None:
    clock = integrity.only("AWS::Events::Rule", "RotationRotateClock")
    alarm = configured.integrity.only("AWS::CloudWatch::Alarm", "AlarmsRotateErrors")

    assert (clock["ScheduleExpression"], clock["State"]) == ("cron(20 * * * ? *)", "ENABLED")
    assert alarm["AlarmActions"] == ["arn:aws:sns:us-east-1:123456789012:on-call"]


def one(template: Template, role: str, action: str) -> dict[str, Any]:
    (found,) = (s for s in statements(template, role) if as_list(s["Action"]) == [action])
    return found


def spelled(value: Any) -> str:
    """A policy as text, with references by their names."""
    if isinstance(value, dict) and "Fn::Join" in value:
        return "".join(part if isinstance(part, str) else part["Ref"] for part in value["Fn::Join"][1])
    return json.dumps(_without_references(value))


def _without_references(value: Any) -> Any:
    if isinstance(value, dict):
        if "Fn::Join" in value:
            return spelled(value)
        return {name: _without_references(inner) for name, inner in value.items()}
    return [_without_references(inner) for inner in value] if isinstance(value, list) else value
