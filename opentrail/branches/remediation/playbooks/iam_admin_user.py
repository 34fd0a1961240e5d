"""An IAM user may do everything, by a managed policy or an inline one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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
from opentrail.branches.remediation.policies import allows_everything

ADMINISTRATOR = ":iam::aws:policy/AdministratorAccess"
BY_AWS = ":iam::aws:policy/"
USERS = "arn:{partition}:iam::{account}:user/*"


def target(record: Record) -> Target | None:
    """The user."""
    name = str(parameters(record).get("userName") or "")
    return target_at(record, name, "AWS::IAM::User", "iam::{account}:user/{name}")


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)  # boto3 parses them


def _attached(cloud: Cloud, user: str) -> Iterator[str]:
    for policy in cloud("iam", "list_attached_user_policies", UserName=user)["AttachedPolicies"]:
        arn = policy["PolicyArn"]
        if arn.endswith(ADMINISTRATOR) or (BY_AWS not in arn and _is_wide(cloud, arn)):
            yield arn


def _is_wide(cloud: Cloud, arn: str) -> bool:
    version = cloud("iam", "get_policy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = cloud("iam", "get_policy_version", PolicyArn=arn, VersionId=version)["PolicyVersion"]
    return allows_everything(_text(found["Document"]))


def _inline(cloud: Cloud, user: str) -> Iterator[tuple[str, str]]:
    for name in cloud("iam", "list_user_policies", UserName=user)["PolicyNames"]:
        document = _text(cloud("iam", "get_user_policy", UserName=user, PolicyName=name)["PolicyDocument"])
        if allows_everything(document):
            yield name, document


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Look for policies that allow every action on every resource."""
    attached, inline = list(_attached(cloud, target.name)), dict(_inline(cloud, target.name))
    if not (attached or inline):
        return None
    names = ", ".join([arn.rpartition("/")[2] for arn in attached] + list(inline))
    problem = f"user {target.name} may do everything: {names}"
    return Danger(problem=problem, before={"attached": attached, "inline": inline})


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Take these policies from the user."""
    for arn in danger.before["attached"]:
        cloud("iam", "detach_user_policy", UserName=target.name, PolicyArn=arn)
    for name in danger.before["inline"]:
        cloud("iam", "delete_user_policy", UserName=target.name, PolicyName=name)


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Give them back."""
    for arn in before["attached"]:
        cloud("iam", "attach_user_policy", UserName=target.name, PolicyArn=arn)
    for name, document in before["inline"].items():
        cloud("iam", "put_user_policy", UserName=target.name, PolicyName=name, PolicyDocument=document)


def tags(cloud: Cloud, target: Target) -> Mapping[str, str]:
    """The user's tags."""
    return tag_map(cloud("iam", "list_user_tags", UserName=target.name)["Tags"])


PLAYBOOK = Playbook(
    id="iam-admin-user",
    title="IAM user given AdministratorAccess, or a policy that allows everything",
    severity="critical",
    controls=("CIS AWS 3.0 1.16", "NIST 800-53 AC-6", "PCI DSS 4.0 7.2.2"),
    pattern=calls("iam", "AttachUserPolicy", "PutUserPolicy"),
    reads=(
        Permission(
            actions=(
                "iam:GetUserPolicy",
                "iam:ListAttachedUserPolicies",
                "iam:ListUserPolicies",
                "iam:ListUserTags",
            ),
            resources=(USERS,),
            why="any user",
        ),
        Permission(
            actions=("iam:GetPolicy", "iam:GetPolicyVersion"),
            resources=("arn:{partition}:iam::{account}:policy/*",),
            why="any policy of this account",
        ),
    ),
    writes=(
        Permission(
            actions=(
                "iam:AttachUserPolicy",
                "iam:DeleteUserPolicy",
                "iam:DetachUserPolicy",
                "iam:PutUserPolicy",
            ),
            resources=(USERS,),
            why="any user",
        ),
    ),
    target=target,
    check=check,
    fix=fix,
    undo=undo,
    tags=tags,
    gone=("NoSuchEntity",),
)
