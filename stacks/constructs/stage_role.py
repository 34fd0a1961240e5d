"""The role of one stage, under a name that is known before the role exists."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct


def stage_role_name(name_prefix: str, stage: str) -> str:
    """``OpenTrail-digest-us-east-1``; with the Region, because all Regions of an account share role names."""
    return f"{name_prefix}-{stage}-{cdk.Aws.REGION}"


def stage_role_arn(name_prefix: str, stage: str) -> str:
    """The ARN the role of ``stage`` has or will have, so that a key policy can name it first."""
    name = stage_role_name(name_prefix, stage)
    return f"arn:{cdk.Aws.PARTITION}:iam::{cdk.Aws.ACCOUNT_ID}:role/{name}"


def stage_role(scope: Construct, id_: str, *, name_prefix: str, stage: str) -> iam.Role:
    """Return a role that only Lambda may take on, without any permission yet."""
    return iam.Role(
        scope,
        id_,
        role_name=stage_role_name(name_prefix, stage),
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        description=f"OpenTrail: the {stage} function",
    )
