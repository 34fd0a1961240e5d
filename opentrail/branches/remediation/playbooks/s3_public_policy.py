"""A bucket's policy lets everybody in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentrail.branches.remediation.playbook import Cloud, Danger, Permission, Playbook, Target, calls
from opentrail.branches.remediation.policies import name_statements, open_statements, without_open
from opentrail.branches.remediation.s3 import BUCKETS, GONE, bucket_of, bucket_policy, bucket_tags, put_policy


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Look for statements that everybody matches."""
    policy = bucket_policy(cloud, target.name)
    found = open_statements(policy)
    if not found:
        return None
    problem = f"the bucket's policy lets everybody in: {name_statements(found)}"
    return Danger(problem=problem, before={"policy": policy})


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Take these statements out and leave the others."""
    put_policy(cloud, target.name, without_open(danger.before["policy"]))


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Put the whole policy back."""
    put_policy(cloud, target.name, before["policy"])


PLAYBOOK = Playbook(
    id="s3-public-policy",
    title="S3 bucket made public by its policy",
    severity="critical",
    controls=("CIS AWS 3.0 2.1.4", "NIST 800-53 AC-3", "PCI DSS 4.0 1.4.4"),
    pattern=calls("s3", "PutBucketPolicy"),
    reads=(
        Permission(
            actions=("s3:GetBucketPolicy", "s3:GetBucketTagging"), resources=(BUCKETS,), why="any bucket"
        ),
    ),
    writes=(
        Permission(
            actions=("s3:DeleteBucketPolicy", "s3:PutBucketPolicy"), resources=(BUCKETS,), why="any bucket"
        ),
    ),
    target=bucket_of,
    check=check,
    fix=fix,
    undo=undo,
    tags=bucket_tags,
    gone=GONE,
)
