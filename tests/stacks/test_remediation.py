"""Remediation: absent unless asked for; then one rule, one function and one role for each playbook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opentrail.branches.remediation.catalog import built_in, find, from_folder
from opentrail.branches.remediation.playbook import Permission, Playbook
from opentrail.errors import SettingsError
from opentrail.settings import RemediationSettings
from opentrail.testing.code import load_privately
from tests.stacks.conftest import Template, Templates, synthesise
from tests.stacks.test_permissions import as_list

OWN = Path(__file__).parent / "own_playbooks"
PLAYBOOKS = {**built_in(), **from_folder(OWN)}
# What each role may do beside its playbook's own work; then what those also may that act.
COMMON = {
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "events:PutEvents",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:SendMessage",
}
TO_ACT = {"dynamodb:DeleteItem", "dynamodb:GetItem"}


@pytest.fixture(scope="session")
def remediation(configured: Templates) -> Template:
    """The stack, as configured."""
    assert configured.remediation is not None
    return configured.remediation


def construct(playbook: Playbook) -> str:
    """How the playbook's resources begin."""
    return "".join(word.capitalize() for word in playbook.id.split("-"))


def actions(permissions: tuple[Permission, ...]) -> set[str]:
    """All actions."""
    return {action for permission in permissions for action in permission.actions}


def granted(policy: dict[str, Any]) -> set[str]:
    """All actions a policy allows."""
    return {a for s in policy["PolicyDocument"]["Statement"] for a in as_list(s["Action"])}


def test_nobody_gets_it_who_did_not_ask(templates: Templates) -> None:
    assert templates.remediation is None


@pytest.mark.parametrize("playbook", PLAYBOOKS.values(), ids=PLAYBOOKS)
def test_each_playbook_has_its_rule(remediation: Template, playbook: Playbook) -> None:
    rule = remediation.only("AWS::Events::Rule", f"{construct(playbook)}Rule")

    assert rule["EventPattern"] == playbook.pattern
    assert rule["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    (target,) = rule["Targets"]
    function = remediation.id_of("AWS::Lambda::Function", construct(playbook))
    assert target["Arn"] == {"Fn::GetAtt": [function, "Arn"]}


@pytest.mark.parametrize("playbook", PLAYBOOKS.values(), ids=PLAYBOOKS)
def test_each_role_may_do_what_its_playbook_says_and_nothing_else(
    remediation: Template, playbook: Playbook
) -> None:
    read = remediation.only("AWS::IAM::Policy", f"{construct(playbook)}RoleDefaultPolicy")

    beside = COMMON | TO_ACT if playbook.fix else COMMON
    assert granted(read) == actions(playbook.reads) | beside
    if playbook.writes:
        write = remediation.only("AWS::IAM::Policy", f"{construct(playbook)}Fix")
        assert granted(write) == actions(playbook.writes)


def test_permissions_to_change_things_are_there_only_when_something_is_enforced(
    remediation: Template,
) -> None:
    fixes = [r for name, r in remediation.body["Resources"].items() if "Fix" in name]

    assert {fix["Condition"] for fix in fixes} == {"MayFix"}
    assert remediation.body["Conditions"]["MayFix"] == {
        "Fn::Not": [
            {
                "Fn::And": [
                    {"Fn::Equals": [{"Ref": "RemediationMode"}, "observe"]},
                    {"Fn::Equals": [{"Ref": "RemediationModes"}, ""]},
                ]
            }
        ]
    }


def test_the_environment_is_the_settings(remediation: Template) -> None:
    function = remediation.only("AWS::Lambda::Function", "S3PublicAcl")
    environment = {
        name: value
        for name, value in function["Environment"]["Variables"].items()
        if name.startswith("OPENTRAIL_")
    }

    assert set(environment) == {
        f"OPENTRAIL_{name.upper()}" for name in RemediationSettings.__dataclass_fields__
    }
    assert environment["OPENTRAIL_BREAK_GLASS"] == "arn:aws:iam::*:role/BreakGlass"
    assert environment["OPENTRAIL_EXEMPT"] == "s3-public-acl=arn:aws:iam::*:role/Web"


def test_each_role_knows_all_of_them_as_its_own(remediation: Template) -> None:
    function = remediation.only("AWS::Lambda::Function", "S3PublicAcl")
    own = function["Environment"]["Variables"]["OPENTRAIL_OWN_ROLES"]["Fn::Join"][1]

    named = [part for part in own if isinstance(part, str) and ":role/" in part]
    assert named == [f":role/Audit-fix-{id_}-" for id_ in PLAYBOOKS]


def test_the_longest_role_name_fits() -> None:
    longest = max(len(id_) for id_ in PLAYBOOKS)

    assert 24 + len("-fix-") + longest + len("-ap-southeast-1") <= 64


def test_own_playbooks_are_in_the_package(configured: Templates) -> None:
    (packaged,) = configured.directory.glob("asset.*/lambdas/remediation/user_playbooks")

    assert [path.name for path in packaged.iterdir()] == ["no_secrets_in_names.py"]
    assert (packaged.parent / "handler.py").exists()
    assert not (packaged.parents[2] / "opentrail" / "local").exists()


def test_the_packaged_handler_finds_them(configured: Templates) -> None:
    (packaged,) = configured.directory.glob("asset.*/lambdas/remediation/user_playbooks")
    handler = load_privately("tests.packaged_remediation", packaged.parent / "handler.py")

    assert find("secret-name", handler.USER_PLAYBOOKS).title == "Bucket with a telling name"


def test_a_playbook_whose_file_is_broken_stops_the_synthesis_and_says_where(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def (:\n")

    with pytest.raises(SettingsError, match=r"broken\.py: SyntaxError: invalid syntax"):
        from_folder(tmp_path)


def test_a_playbook_that_raises_stops_the_synthesis_and_says_where(tmp_path: Path) -> None:
    (tmp_path / "raising.py").write_text("import no_such_module\n")

    with pytest.raises(SettingsError, match=r"raising\.py: ModuleNotFoundError: .*no_such_module"):
        from_folder(tmp_path)


def test_a_folder_that_is_not_there_stops_the_synthesis_and_says_which(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nowhere is no folder of playbooks"):
        synthesise(tmp_path, {"remediationMode": "observe", "playbooksFolder": "nowhere"})
