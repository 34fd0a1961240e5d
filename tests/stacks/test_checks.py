"""What others check in our templates: AwsSolutions rules, cfn-lint, the laptop's deployer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks

from tests.stacks.conftest import Template, Templates

# W3005: CDK itself writes a DependsOn where a reference already orders two resources.
ACCEPTED = "W3005"

# What the laptop's deployer builds. A new type here needs a provider there.
TYPES = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::Table",
    "AWS::Events::EventBus",
    "AWS::Events::Rule",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
}


@pytest.fixture(params=["default", "configured"])
def installation(request: pytest.FixtureRequest) -> Templates:
    """The installation nobody configured, and the one with every option set."""
    name = "templates" if request.param == "default" else "configured"
    found: Templates = request.getfixturevalue(name)
    return found


def test_no_awssolutions_rule_is_broken_without_a_reason(installation: Templates) -> None:
    assert violations(installation.directory) == []


def test_a_broken_rule_would_stop_synthesis(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app, verbose=True))
    s3.Bucket(cdk.Stack(app, "Careless"), "Bucket")

    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()

    assert "AwsSolutions-S10" in violations(tmp_path)


def test_cfn_lint_finds_nothing(installation: Templates) -> None:
    run = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("cfn-lint")), "--format", "parseable"),
            *("--ignore-checks", ACCEPTED, "--"),
            *(str(stack.path) for stack in stacks_of(installation)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.stdout, run.returncode) == ("", 0)


def test_resource_types_are_those_the_laptop_builds(installation: Templates) -> None:
    bodies = [stack.body for stack in stacks_of(installation)]

    further = {"AWS::Lambda::EventInvokeConfig"} if installation.remediation else set()
    assert {r["Type"] for body in bodies for r in body["Resources"].values()} == TYPES | further


def test_every_function_is_python(installation: Templates) -> None:
    functions = [
        function
        for stack in stacks_of(installation)
        for function in stack.of_type("AWS::Lambda::Function").values()
    ]

    assert {function["Runtime"] for function in functions} == {"python3.13"}


def test_no_account_or_region_is_written_in(templates: Templates) -> None:
    manifest = json.loads((templates.directory / "manifest.json").read_text())

    environments = {
        artifact["environment"] for artifact in manifest["artifacts"].values() if "environment" in artifact
    }
    assert environments == {"aws://unknown-account/unknown-region"}


def stacks_of(installation: Templates) -> tuple[Template, ...]:
    """Every stack."""
    found = (installation.storage, installation.pipeline, installation.api, installation.remediation)
    return tuple(stack for stack in found if stack is not None)


def violations(directory: Path) -> list[str]:
    """Names of the rules that a synthesis into ``directory`` found broken."""
    report: dict[str, Any] = json.loads((directory / "validation-report.json").read_text())
    return [rule["ruleName"] for plugin in report["pluginReports"] for rule in plugin["violations"]]
