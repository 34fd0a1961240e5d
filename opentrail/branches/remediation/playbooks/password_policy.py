"""The account's password policy is gone or asks for less than CIS does."""

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
    target_at,
)
from opentrail.errors import StorageError

FLOOR = {"MinimumPasswordLength": 14, "PasswordReusePrevention": 24}  # CIS AWS 3.0 1.8 and 1.9
# What UpdateAccountPasswordPolicy takes; GetAccountPasswordPolicy answers more, and 0 for "not set".
SETTINGS = (
    "MinimumPasswordLength",
    "RequireSymbols",
    "RequireNumbers",
    "RequireUppercaseCharacters",
    "RequireLowercaseCharacters",
    "AllowUsersToChangePassword",
    "MaxPasswordAge",
    "PasswordReusePrevention",
    "HardExpiry",
)


def target(record: Record) -> Target | None:
    """The account."""
    account = str(record.get("recipientAccountId") or "")
    return target_at(record, account, "AWS::IAM::AccountPasswordPolicy", "iam::{account}:password-policy")


def _policy(cloud: Cloud) -> dict[str, Any]:
    try:
        answer = cloud("iam", "get_account_password_policy")["PasswordPolicy"]
    except StorageError as error:
        if error.code == "NoSuchEntity":
            return {}
        raise
    return {name: answer[name] for name in SETTINGS if answer.get(name)}


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Compare it with the floor."""
    policy = _policy(cloud)
    low = [
        f"{name} {policy.get(name, 0)} < {least}"
        for name, least in FLOOR.items()
        if policy.get(name, 0) < least
    ]
    if not low:
        return None
    return Danger(problem=f"the password policy is weak: {', '.join(low)}", before={"policy": policy})


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Raise what is too low and leave the rest."""
    policy = danger.before["policy"]
    raised = {name: max(least, policy.get(name, 0)) for name, least in FLOOR.items()}
    cloud("iam", "update_account_password_policy", **{**policy, **raised})


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Put the policy back, or remove it."""
    if before["policy"]:
        cloud("iam", "update_account_password_policy", **before["policy"])
    else:
        cloud("iam", "delete_account_password_policy")


PLAYBOOK = Playbook(
    id="password-policy",
    title="IAM password policy weakened",
    severity="medium",
    controls=("CIS AWS 3.0 1.8", "CIS AWS 3.0 1.9", "NIST 800-53 IA-5", "PCI DSS 4.0 8.3.6"),
    pattern=calls("iam", "UpdateAccountPasswordPolicy", "DeleteAccountPasswordPolicy"),
    reads=(
        Permission(
            actions=("iam:GetAccountPasswordPolicy",),
            resources=("*",),
            why="it is the account's, IAM offers no resource",
        ),
    ),
    writes=(
        Permission(
            actions=("iam:DeleteAccountPasswordPolicy", "iam:UpdateAccountPasswordPolicy"),
            resources=("*",),
            why="it is the account's, IAM offers no resource",
        ),
    ),
    target=target,
    check=check,
    fix=fix,
    undo=undo,
)
