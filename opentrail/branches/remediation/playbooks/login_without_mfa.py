"""Somebody signs in to the console with a password alone. It only tells."""

from __future__ import annotations

from opentrail.branches.remediation.playbook import (
    SIGN_IN,
    Cloud,
    Danger,
    Permission,
    Playbook,
    Record,
    Target,
    target_at,
)


def target(record: Record) -> Target | None:
    """The user, or root."""
    identity = record.get("userIdentity") or {}
    if identity.get("type") == "Root":
        return target_at(record, "root", "AWS::IAM::RootUser", "iam::{account}:root")
    return target_at(
        record, str(identity.get("userName") or ""), "AWS::IAM::User", "iam::{account}:user/{name}"
    )


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Ask whether there is a device at all."""
    if target.name == "root":
        has = bool(cloud("iam", "get_account_summary")["SummaryMap"].get("AccountMFAEnabled"))
    else:
        has = bool(cloud("iam", "list_mfa_devices", UserName=target.name)["MFADevices"])
    device = "did not use the MFA device" if has else "has no MFA device"
    return Danger(problem=f"{target.name} signed in to the console and {device}")


PLAYBOOK = Playbook(
    id="login-without-mfa",
    title="Console login without MFA",
    severity="high",
    controls=("CIS AWS 3.0 1.5", "CIS AWS 3.0 1.10", "NIST 800-53 IA-2", "PCI DSS 4.0 8.4.1"),
    pattern={
        "source": ["aws.signin"],
        "detail-type": [SIGN_IN],
        "detail": {
            "eventName": ["ConsoleLogin"],
            "userIdentity": {"type": ["IAMUser", "Root"]},  # others bring MFA from where they signed in
            "additionalEventData": {"MFAUsed": ["No"]},
            "responseElements": {"ConsoleLogin": ["Success"]},
        },
    },
    reads=(
        Permission(
            actions=("iam:ListMFADevices",),
            resources=("arn:{partition}:iam::{account}:user/*",),
            why="any user",
        ),
        Permission(actions=("iam:GetAccountSummary",), resources=("*",), why="IAM offers no resource for it"),
    ),
    target=target,
    check=check,
    gone=("NoSuchEntity",),
)
