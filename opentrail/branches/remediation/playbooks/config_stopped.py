"""AWS Config's recorder is stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentrail.branches.remediation.playbook import (
    Cloud,
    Danger,
    Permission,
    Playbook,
    Record,
    Target,
    calls,
    parameters,
    target_at,
)

NAME = "ConfigurationRecorderName"
# Config names recorders by name and a generated id. Service Authorization Reference, AWS Config.
RECORDERS = "arn:{partition}:config:{region}:{account}:configuration-recorder/*"
WHY = "any recorder"


def target(record: Record) -> Target | None:
    """The recorder."""
    name = str(parameters(record).get("configurationRecorderName") or "")
    resource = "config:{region}:{account}:configuration-recorder/{name}"
    return target_at(record, name, "AWS::Config::ConfigurationRecorder", resource)


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Does it record?"""
    answer = cloud(
        "config", "describe_configuration_recorder_status", ConfigurationRecorderNames=[target.name]
    )
    if answer["ConfigurationRecordersStatus"][0]["recording"]:
        return None
    return Danger(problem="AWS Config does not record")


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Start it."""
    cloud("config", "start_configuration_recorder", **{NAME: target.name})


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Stop it."""
    cloud("config", "stop_configuration_recorder", **{NAME: target.name})


PLAYBOOK = Playbook(
    id="config-stopped",
    title="AWS Config recorder stopped",
    severity="high",
    controls=("CIS AWS 3.0 3.3", "NIST 800-53 CM-8", "PCI DSS 4.0 11.5.2"),
    pattern=calls("config", "StopConfigurationRecorder"),
    reads=(
        Permission(actions=("config:DescribeConfigurationRecorderStatus",), resources=(RECORDERS,), why=WHY),
    ),
    writes=(
        Permission(
            actions=("config:StartConfigurationRecorder", "config:StopConfigurationRecorder"),
            resources=(RECORDERS,),
            why=WHY,
        ),
    ),
    target=target,
    check=check,
    fix=fix,
    undo=undo,
    gone=("NoSuchConfigurationRecorderException",),
)
