"""A playbook of an installation's own: it tells of buckets that are called "secret"."""

from __future__ import annotations

from opentrail.branches.remediation.playbook import Cloud, Danger, Permission, Playbook, Target, calls
from opentrail.branches.remediation.s3 import GONE, bucket_of


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Is it called that, and is it there?"""
    cloud("s3", "head_bucket", Bucket=target.name)
    return Danger(problem=f"{target.name} tells what is in it") if "secret" in target.name else None


PLAYBOOK = Playbook(
    id="secret-name",
    title="Bucket with a telling name",
    severity="low",
    controls=("House rule 7",),
    pattern=calls("s3", "CreateBucket"),
    reads=(
        Permission(actions=("s3:ListBucket",), resources=("arn:{partition}:s3:::*secret*",), why="any name"),
    ),
    target=bucket_of,
    check=check,
    gone=(*GONE, "404"),
)
