"""What others check in our templates: cdk-nag's packs, cfn-lint, the laptop's deployer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from stacks.checks import check
from tests.stacks.conftest import Forwarders, Templates

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

# And what only options bring.
FURTHER_TYPES = {"AWS::CloudTrail::Trail", "AWS::Lambda::EventInvokeConfig", "AWS::Logs::MetricFilter"}
TOPIC_TYPES = {"AWS::SNS::Subscription", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy"}


@pytest.fixture(params=["default", "configured", "plain"])
def installation(request: pytest.FixtureRequest) -> Templates:
    """The installation nobody configured, the one with every option set, the one without a key."""
    name = "templates" if request.param == "default" else request.param
    found: Templates = request.getfixturevalue(name)
    return found


def test_no_rule_is_broken_without_a_reason(installation: Templates) -> None:
    assert violations(installation.directory) == []


def test_no_rule_is_broken_in_other_regions_and_accounts(forwarders: Forwarders) -> None:
    assert violations(forwarders.region.path.parent) == []


def test_a_broken_rule_of_either_pack_would_stop_synthesis(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    check(app)
    s3.Bucket(cdk.Stack(app, "Careless"), "Bucket")

    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()

    assert {"AwsSolutions-S10", "NIST.800.53.R5-S3BucketVersioningEnabled"} <= set(violations(tmp_path))


def test_cfn_lint_finds_nothing(installation: Templates) -> None:
    assert linted(installation.directory) == ("", 0)


def test_cfn_lint_finds_nothing_in_the_forwarders(forwarders: Forwarders) -> None:
    assert linted(forwarders.region.path.parent) == ("", 0)


def linted(directory: Path) -> tuple[str, int]:
    """What cfn-lint prints of every template in ``directory``, and its exit code."""
    run = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("cfn-lint")), "--format", "parseable"),
            *("--ignore-checks", ACCEPTED, "--"),
            *map(str, sorted(directory.glob("*.template.json"))),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout, run.returncode


def test_resource_types_are_those_the_laptop_builds(installation: Templates) -> None:
    found = {r["Type"] for body in bodies_of(installation) for r in body["Resources"].values()}

    further = FURTHER_TYPES if installation.remediation else set()
    assert found - TOPIC_TYPES == TYPES | further


def test_every_function_is_python(installation: Templates) -> None:
    resources = [resource for body in bodies_of(installation) for resource in body["Resources"].values()]

    functions = [resource for resource in resources if resource["Type"] == "AWS::Lambda::Function"]
    assert {function["Properties"]["Runtime"] for function in functions} == {"python3.13"}


def test_no_account_or_region_is_written_in(templates: Templates) -> None:
    manifest = json.loads((templates.directory / "manifest.json").read_text())

    environments = {
        artifact["environment"] for artifact in manifest["artifacts"].values() if "environment" in artifact
    }
    assert environments == {"aws://unknown-account/unknown-region"}


def bodies_of(installation: Templates) -> list[dict[str, Any]]:
    """Every template."""
    return [json.loads(path.read_text()) for path in installation.directory.glob("*.template.json")]


def violations(directory: Path) -> list[str]:
    """Names of the rules that a synthesis into ``directory`` found broken."""
    report: dict[str, Any] = json.loads((directory / "validation-report.json").read_text())
    broken = [rule["ruleName"] for plugin in report["pluginReports"] for rule in plugin["violations"]]
    return [name for name in broken if name != "Annotation::OpenTrail:Detection"]  # a warning, and wanted
