"""A bucket's access control list lets everybody, or every AWS account, in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentrail.branches.remediation.playbook import (
    Cloud,
    Danger,
    Permission,
    Playbook,
    Target,
    calls,
)
from opentrail.branches.remediation.s3 import BUCKETS, GONE, bucket_of, bucket_tags

# S3 user guide, "Access control list (ACL) overview", predefined groups.
PUBLIC = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "everybody",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "every AWS account",
}

# A new bucket's ACL, canned or grant by grant; EventBridge asks for leaves only.
GRANTS = ("full-control", "read", "read-acp", "write", "write-acp")
GIVEN = (
    {"requestParameters": {"x-amz-acl": [{"exists": True}]}},
    *(
        {"requestParameters": {"accessControlList": {f"x-amz-grant-{grant}": [{"exists": True}]}}}
        for grant in GRANTS
    ),
)


def _acl(cloud: Cloud, target: Target) -> dict[str, Any]:
    answer = cloud("s3", "get_bucket_acl", Bucket=target.name)
    return {"Owner": answer["Owner"], "Grants": answer.get("Grants", [])}


def _is_public(grant: Mapping[str, Any]) -> bool:
    return grant["Grantee"].get("URI") in PUBLIC


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Look for grants to the public groups."""
    acl = _acl(cloud, target)
    public = [grant for grant in acl["Grants"] if _is_public(grant)]
    if not public:
        return None
    said = ", ".join(sorted(f"{g['Permission']} to {PUBLIC[g['Grantee']['URI']]}" for g in public))
    return Danger(problem=f"the bucket's ACL grants {said}", before={"acl": acl})


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Take the public grants out and leave the others."""
    acl = danger.before["acl"]
    kept = [grant for grant in acl["Grants"] if not _is_public(grant)]
    _put(cloud, target, {**acl, "Grants": kept})


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Put the whole list back."""
    _put(cloud, target, before["acl"])


def _put(cloud: Cloud, target: Target, acl: Mapping[str, Any]) -> None:
    cloud("s3", "put_bucket_acl", Bucket=target.name, AccessControlPolicy=acl)


PLAYBOOK = Playbook(
    id="s3-public-acl",
    title="S3 bucket made public by its ACL",
    severity="critical",
    controls=("CIS AWS 3.0 2.1.4", "NIST 800-53 AC-3", "PCI DSS 4.0 1.4.4"),
    pattern=calls(
        "s3",
        "PutBucketAcl",
        "CreateBucket",
        detail={"$or": [{"eventName": ["PutBucketAcl"]}, *GIVEN]},
    ),
    reads=(
        Permission(
            actions=("s3:GetBucketAcl", "s3:GetBucketTagging"), resources=(BUCKETS,), why="any bucket"
        ),
    ),
    writes=(Permission(actions=("s3:PutBucketAcl",), resources=(BUCKETS,), why="any bucket"),),
    target=bucket_of,
    check=check,
    fix=fix,
    undo=undo,
    tags=bucket_tags,
    gone=GONE,
)
