"""All dangers; here those of buckets and security groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentrail.testing.world import OpenTrail
from tests.remediation.case import EXCEPT, Case, failing, world_policy
from tests.remediation.cases_accounts import ACCOUNTS
from tests.remediation.cases_sharing import SHARING
from tests.remediation.cases_trails import TRAILS


def make_bucket(aws: OpenTrail, word: str) -> str:
    """A bucket."""
    aws.client("s3").create_bucket(Bucket=f"bucket-{word}")
    return f"bucket-{word}"


def tag_bucket(aws: OpenTrail, name: str) -> None:
    """Except a bucket."""
    aws.client("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": [EXCEPT]})


def remove_bucket(aws: OpenTrail, name: str) -> None:
    """Delete a bucket."""
    aws.client("s3").delete_bucket(Bucket=name)


def bucket_case(
    playbook: str,
    endanger: Callable[[Any, str], object],
    is_dangerous: Callable[[Any, str], bool],
    make: Callable[[OpenTrail, str], str] = make_bucket,
) -> Case:
    """A danger of a bucket; ``endanger`` and ``is_dangerous`` get an S3 client."""
    return Case(
        playbook=playbook,
        make=make,
        endanger=lambda aws, name: endanger(aws.client("s3"), name),
        is_dangerous=lambda aws, name: is_dangerous(aws.client("s3"), name),
        remove=remove_bucket,
        tag=tag_bucket,
    )


def _blocked_bucket(aws: OpenTrail, word: str) -> str:
    name = make_bucket(aws, word)
    ways = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    aws.client("s3").put_public_access_block(
        Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(ways, True)
    )
    return name


BUCKETS = [
    bucket_case(
        "s3-public-acl",
        lambda s3, name: s3.put_bucket_acl(Bucket=name, ACL="public-read"),
        lambda s3, name: len(s3.get_bucket_acl(Bucket=name)["Grants"]) > 1,
    ),
    bucket_case(
        "s3-public-policy",
        lambda s3, name: s3.put_bucket_policy(
            Bucket=name, Policy=world_policy("s3:GetObject", f"arn:aws:s3:::{name}/*")
        ),
        lambda s3, name: not failing("NoSuchBucketPolicy", lambda: s3.get_bucket_policy(Bucket=name)),
    ),
    bucket_case(
        "s3-access-block",
        lambda s3, name: s3.delete_public_access_block(Bucket=name),
        lambda s3, name: failing(
            "NoSuchPublicAccessBlockConfiguration", lambda: s3.get_public_access_block(Bucket=name)
        ),
        make=_blocked_bucket,
    ),
]


def _group(aws: OpenTrail, word: str) -> str:
    answer = aws.client("ec2").create_security_group(GroupName=word, Description="test")
    return str(answer["GroupId"])


def _open_ssh(aws: OpenTrail, name: str) -> None:
    ranges = [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "0.0.0.0/0"}]
    rule = {"IpProtocol": "tcp", "FromPort": 20, "ToPort": 25, "IpRanges": ranges}
    aws.client("ec2").authorize_security_group_ingress(GroupId=name, IpPermissions=[rule])


def _ssh_is_open(aws: OpenTrail, name: str) -> bool:
    (group,) = aws.client("ec2").describe_security_groups(GroupIds=[name])["SecurityGroups"]
    ranges = [r["CidrIp"] for rule in group["IpPermissions"] for r in rule["IpRanges"]]
    assert "10.0.0.0/8" in ranges  # whatever happens, the harmless source stays
    return "0.0.0.0/0" in ranges


GROUPS = [
    Case(
        playbook="open-security-group",
        make=_group,
        endanger=_open_ssh,
        is_dangerous=_ssh_is_open,
        remove=lambda aws, name: aws.client("ec2").delete_security_group(GroupId=name),
        tag=lambda aws, name: aws.client("ec2").create_tags(Resources=[name], Tags=[EXCEPT]),
    )
]

CASES = [*BUCKETS, *GROUPS, *TRAILS, *ACCOUNTS, *SHARING]
