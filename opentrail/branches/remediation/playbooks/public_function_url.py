"""A Lambda function's URL answers anybody."""

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
    tag_map,
    target_at,
)

FUNCTIONS = "arn:{partition}:lambda:{region}:{account}:function:*"


def target(record: Record) -> Target | None:
    """The function, with its alias when the URL is the alias's."""
    asked = parameters(record)
    name, alias = str(asked.get("functionName") or ""), str(asked.get("qualifier") or "")
    if name and alias:
        name = f"{name}:{alias}"
    return target_at(record, name, "AWS::Lambda::Function", "lambda:{region}:{account}:function:{name}")


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Who may call it?"""
    if cloud("lambda", "get_function_url_config", FunctionName=target.name)["AuthType"] != "NONE":
        return None
    return Danger(problem="the function's URL answers anybody")


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Let IAM decide who may."""
    _set(cloud, target, "AWS_IAM")


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Let it answer anybody."""
    _set(cloud, target, "NONE")


def _set(cloud: Cloud, target: Target, kind: str) -> None:
    cloud("lambda", "update_function_url_config", FunctionName=target.name, AuthType=kind)


def tags(cloud: Cloud, target: Target) -> Mapping[str, str]:
    """The function's tags; Lambda keeps them without alias."""
    function = ":".join(target.arn.split(":")[:7])
    return tag_map(cloud("lambda", "list_tags", Resource=function)["Tags"])


PLAYBOOK = Playbook(
    id="public-function-url",
    title="Lambda function URL with AuthType NONE",
    severity="high",
    controls=("NIST 800-53 AC-3", "PCI DSS 4.0 1.4.4"),
    # Lambda's event names may carry the API's date.
    pattern=calls("lambda", {"prefix": "CreateFunctionUrlConfig"}, {"prefix": "UpdateFunctionUrlConfig"}),
    reads=(
        Permission(
            actions=("lambda:GetFunctionUrlConfig", "lambda:ListTags"),
            resources=(FUNCTIONS,),
            why="any function",
        ),
    ),
    writes=(
        Permission(actions=("lambda:UpdateFunctionUrlConfig",), resources=(FUNCTIONS,), why="any function"),
    ),
    target=target,
    check=check,
    fix=fix,
    undo=undo,
    tags=tags,
    gone=("ResourceNotFoundException",),
)
