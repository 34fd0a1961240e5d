"""What the API function may do: keep trails, and look at what trails deliver to.

A caller may name any bucket, key, topic or role, so looking cannot be limited to some of
them; nothing here reads their content or changes them.
"""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from stacks import permissions
from stacks.acknowledge import acknowledge

# No Scan: the API asks for one account's trails at a time.
KEEP_TRAILS = ("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem")

# Entries of the index are read; what is written is the count of a second's lookups.
READ_HISTORY = ("dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:UpdateItem")

CLOUDTRAIL = "cloudtrail.amazonaws.com"

_ARN = f"arn:{cdk.Aws.PARTITION}"
_LOOK: tuple[tuple[str, Sequence[str]], ...] = (
    (
        f"{_ARN}:s3:::*",
        (
            "s3:GetBucketPolicy",
            "s3:GetBucketRequestPayment",
            "s3:GetEncryptionConfiguration",
            "s3:ListBucket",  # S3 asks it of HeadBucket, which tells a bucket's Region
        ),
    ),
    (f"{_ARN}:kms:*:*:key/*", ("kms:DescribeKey", "kms:GetKeyPolicy")),
    (f"{_ARN}:sns:*:*:*", ("sns:GetTopicAttributes",)),
    (f"{_ARN}:logs:*:{cdk.Aws.ACCOUNT_ID}:log-group:*", ("logs:DescribeLogGroups",)),
    (
        f"{_ARN}:iam::{cdk.Aws.ACCOUNT_ID}:role/*",
        ("iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"),
    ),
    # Policies may be the account's or AWS's own.
    (f"{_ARN}:iam::*:policy/*", ("iam:GetPolicy", "iam:GetPolicyVersion")),
)
_READ_ORGANIZATION = (
    "organizations:DescribeAccount",
    "organizations:DescribeOrganization",
    "organizations:ListAWSServiceAccessForOrganization",
    "organizations:ListDelegatedAdministrators",
)
_DELEGATE = ("organizations:DeregisterDelegatedAdministrator", "organizations:RegisterDelegatedAdministrator")


def look_at_destinations(role: iam.Role) -> None:
    """Grant reading the settings of what a trail may deliver to."""
    for resource, actions in _LOOK:
        role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=[resource]))
        acknowledge(
            role,
            f"AwsSolutions-IAM5[Resource::{permissions.finding_text(resource)}]",
            "A trail may name any of them. Their settings are read to check that CloudTrail may use them; "
            "neither is their content read nor anything changed.",
        )


def use_organization(role: iam.Role) -> None:
    """Grant reading the organization, and delegating CloudTrail, and no other service, to a member."""
    role.add_to_policy(iam.PolicyStatement(actions=list(_READ_ORGANIZATION), resources=["*"]))
    role.add_to_policy(
        iam.PolicyStatement(
            actions=list(_DELEGATE),
            resources=["*"],
            conditions={"StringEquals": {"organizations:ServicePrincipal": CLOUDTRAIL}},
        )
    )
    acknowledge(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        "There is one organization, and most of these actions know no resource; delegation is limited to "
        "CloudTrail by a condition.",
    )


def publish_key(role: iam.Role, key: kms.IKey) -> None:
    """Grant publishing the first key, before the register of keys is begun; never signing."""
    role.add_to_policy(
        iam.PolicyStatement(actions=["kms:DescribeKey", "kms:GetPublicKey"], resources=[key.key_arn])
    )
