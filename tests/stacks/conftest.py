"""One synthesis for all tests of the stacks; starting jsii is what costs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from stacks import forwarders as forwarder_stacks
from stacks.application import build

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Template:
    """One synthesised template."""

    path: Path
    body: dict[str, Any]

    def of_type(self, type_: str) -> dict[str, dict[str, Any]]:
        """Properties of every resource of ``type_``, by logical id."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.body["Resources"].items()
            if resource["Type"] == type_
        }

    def only(self, type_: str, start: str) -> dict[str, Any]:
        """Properties of the one resource of ``type_`` whose logical id begins with ``start``."""
        (found,) = (body for name, body in self.of_type(type_).items() if name.startswith(start))
        return found

    def id_of(self, type_: str, start: str) -> str:
        """The logical id of that resource."""
        (found,) = (name for name in self.of_type(type_) if name.startswith(start))
        return found


@dataclass(frozen=True)
class Templates:
    """The stacks of one installation."""

    storage: Template
    pipeline: Template
    api: Template
    integrity: Template
    directory: Path
    remediation: Template | None = None  # only when the installation asks for it
    detections: Template | None = None  # likewise

    def read(self, stack: str) -> Template:
        """A stack that only some installations have."""
        return _read(self.directory / f"{stack}.template.json")


def synthesise(directory: Path, options: Mapping[str, Any]) -> Templates:
    """Synthesise with the context of ``cdk.json``, as the CDK command does, and with ``options``."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = cdk.App(context={**context, "bundleLayer": False, **options}, outdir=str(directory))
    build(app)
    app.synth()
    remediation = directory / "OpenTrailRemediation.template.json"
    detections = directory / "OpenTrailDetections.template.json"
    return Templates(
        storage=_read(directory / "OpenTrailStorage.template.json"),
        pipeline=_read(directory / "OpenTrailPipeline.template.json"),
        api=_read(directory / "OpenTrailApi.template.json"),
        integrity=_read(directory / "OpenTrailIntegrity.template.json"),
        directory=directory,
        remediation=_read(remediation) if remediation.exists() else None,
        detections=_read(detections) if detections.exists() else None,
    )


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Without a KMS key for what it stores; an address hears of alarms; functions are traced."""
    return synthesise(
        tmp_path_factory.mktemp("plain"),
        {
            "kmsEncryption": False,
            "tracing": True,
            "alarmEmail": "on-call@example.com",
            "cisAlarms": True,
            "cisLogGroup": "central-trail",
            "minimalTrail": True,
            "remediationMode": "observe",
        },
    )


@dataclass(frozen=True)
class Forwarders:
    """The templates of other Regions and accounts."""

    region: Template
    member: Template


@pytest.fixture(scope="session")
def forwarders(tmp_path_factory: pytest.TempPathFactory) -> Forwarders:
    """The forwarders nobody configured."""
    directory = tmp_path_factory.mktemp("forwarders")
    app = cdk.App(context=json.loads((ROOT / "cdk.json").read_text())["context"], outdir=str(directory))
    forwarder_stacks.build(app)
    app.synth()
    return Forwarders(
        region=_read(directory / "OpenTrailRegionForwarder.template.json"),
        member=_read(directory / "OpenTrailMemberForwarder.template.json"),
    )


def _read(path: Path) -> Template:
    return Template(path, json.loads(path.read_text()))


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The installation nobody configured."""
    return synthesise(tmp_path_factory.mktemp("defaults"), {})


@pytest.fixture(scope="session")
def storage(templates: Templates) -> Template:
    """The storage stack."""
    return templates.storage


@pytest.fixture(scope="session")
def pipeline(templates: Templates) -> Template:
    """The pipeline stack."""
    return templates.pipeline


@pytest.fixture(scope="session")
def api(templates: Templates) -> Template:
    """The API stack."""
    return templates.api


@pytest.fixture(scope="session")
def integrity(templates: Templates) -> Template:
    """The stack that keeps the proof going."""
    return templates.integrity


@pytest.fixture(scope="session")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The installation with every option set."""
    rules = tmp_path_factory.mktemp("rules")
    shutil.copytree(ROOT / "detections", rules / "first")
    shutil.copytree(ROOT / "tests" / "stacks" / "own_detections", rules / "second")
    return synthesise(
        tmp_path_factory.mktemp("configured"),
        {
            "namePrefix": "Audit",
            "remediationMode": "enforce",
            "remediationModes": "123456789012=observe",
            "remediationExempt": "s3-public-acl=arn:aws:iam::*:role/Web",
            "breakGlass": "arn:aws:iam::*:role/BreakGlass",
            "playbooksFolder": str(Path(__file__).parent / "own_playbooks"),
            "detectionsFolder": str(rules),
            "detectionsTopicArn": "arn:aws:sns:us-east-1:123456789012:findings",
            "organizationId": "o-abcdefghij",
            "objectLockMode": "COMPLIANCE",
            "objectLockDays": 365,
            "glacierDays": 30,
            "deepArchiveDays": 180,
            "expireDays": 2555,
            "historyDays": 120,
            "logRetentionDays": 7,
            "keyRotationDays": 7,
            "minimalTrail": "true",
            "trailName": "everything",
            "trailDataTypes": "AWS::S3::Object,AWS::Lambda::Function",
            "trailInsights": True,
            "sourceBucket": "central-trail-logs",
            "sourcePrefix": "org/AWSLogs/",
            "sourceTopicArn": "arn:aws:sns:eu-west-1:999988887777:new-files",
            "sourceKeyArns": "arn:aws:kms:eu-west-1:999988887777:key/22222222-3333-4444-5555-666666666666",
            "validationSchedule": "rate(6 hours)",
            "validationTopicArn": "arn:aws:sns:us-east-1:123456789012:proofs",
            "accessLogsBucket": "the-access-logs",
            "deliveryBuckets": "team-a-logs,team-b-logs",
            "deliveryKeyArns": [
                "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
            ],
            "cisAlarms": True,
            "cisLogGroup": "central-trail",
            "anchorTopicArn": "arn:aws:sns:us-east-1:123456789012:heads",
            "alarmTopicArn": "arn:aws:sns:us-east-1:123456789012:on-call",
            "logGroupArns": ["arn:aws:logs:us-east-1:123456789012:log-group:trail:*"],
            "notificationTopicArns": ["arn:aws:sns:us-east-1:123456789012:new-log-files"],
        },
    )
