"""A bucket's Block Public Access is gone, or does not block all four ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentrail.branches.remediation.playbook import Cloud, Danger, Permission, Playbook, Target, calls
from opentrail.branches.remediation.s3 import BUCKETS, GONE, bucket_of, bucket_tags
from opentrail.errors import StorageError

WAYS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def _settings(cloud: Cloud, target: Target) -> dict[str, bool]:
    try:
        answer = cloud("s3", "get_public_access_block", Bucket=target.name)
    except StorageError as error:
        if error.code != "NoSuchPublicAccessBlockConfiguration":
            raise
        return {}
    found = answer["PublicAccessBlockConfiguration"]
    return {way: bool(found.get(way)) for way in WAYS}


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Look which of the four ways are open."""
    settings = _settings(cloud, target)
    missing = [way for way in WAYS if not settings.get(way)]
    if not missing:
        return None
    return Danger(problem=f"Block Public Access lacks {', '.join(missing)}", before={"settings": settings})


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Block all four."""
    _put(cloud, target, dict.fromkeys(WAYS, True))


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Put the settings back; where there were none, remove them."""
    if before["settings"]:
        _put(cloud, target, before["settings"])
    else:
        cloud("s3", "delete_public_access_block", Bucket=target.name)


def _put(cloud: Cloud, target: Target, settings: Mapping[str, bool]) -> None:
    cloud("s3", "put_public_access_block", Bucket=target.name, PublicAccessBlockConfiguration=dict(settings))


PLAYBOOK = Playbook(
    id="s3-access-block",
    title="S3 bucket loses Block Public Access",
    severity="high",
    controls=("CIS AWS 3.0 2.1.4", "NIST 800-53 AC-3", "PCI DSS 4.0 1.4.4"),
    pattern=calls("s3", "DeleteBucketPublicAccessBlock", "PutBucketPublicAccessBlock"),
    reads=(
        Permission(
            actions=("s3:GetBucketPublicAccessBlock", "s3:GetBucketTagging"),
            resources=(BUCKETS,),
            why="any bucket",
        ),
    ),
    # Deleting the settings needs the same permission (S3 API reference, DeletePublicAccessBlock).
    writes=(Permission(actions=("s3:PutBucketPublicAccessBlock",), resources=(BUCKETS,), why="any bucket"),),
    target=bucket_of,
    check=check,
    fix=fix,
    undo=undo,
    tags=bucket_tags,
    gone=GONE,
)
