"""Log and digest files are written by the function they belong to, and taken away by nobody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

EVERYTHING = ("AWSLogs/*", "*/AWSLogs/*")
LOG_FILES = ("AWSLogs/*/CloudTrail/*", "AWSLogs/*/CloudTrail-Insight/*")
DIGESTS = ("AWSLogs/*/CloudTrail-Digest/*", "AWSLogs/*/OpenTrail-Tree/*")


def write_once(bucket: s3.Bucket, *, deliver_role_arn: str, digest_role_arn: str) -> None:
    """Deny deletes under ``AWSLogs/`` to everybody, and writes to all but the one function that writes there.

    It binds the account's administrators too: whoever wants to change a file must first change this
    policy, which a trail records. Lifecycle rules still expire files: they are not requests. AWS's own
    services are left out of the denied writers, so that CloudTrail's trails may deliver here; the Allow
    statements name which.

    Source: S3 user guide, "Bucket policies"; IAM user guide, "aws:PrincipalIsAWSService".
    """
    _deny(bucket, "DenyDeletingLogs", ["s3:DeleteObject", "s3:DeleteObjectVersion"], EVERYTHING, {})
    for sid, patterns, writer in (
        ("DenyWritingLogFiles", LOG_FILES, deliver_role_arn),
        ("DenyWritingDigests", DIGESTS, digest_role_arn),
    ):
        but_the_writer = {
            "ArnNotEquals": {"aws:PrincipalArn": writer},
            "Bool": {"aws:PrincipalIsAWSService": "false"},
        }
        both = [*patterns, *(f"*/{pattern}" for pattern in patterns)]
        _deny(bucket, sid, ["s3:PutObject"], both, but_the_writer)


def _deny(
    bucket: s3.Bucket,
    sid: str,
    actions: list[str],
    patterns: Sequence[str],
    when: dict[str, Any],
) -> None:
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid=sid,
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=actions,
            resources=[bucket.arn_for_objects(pattern) for pattern in patterns],
            conditions=when,
        )
    )
