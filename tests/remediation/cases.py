"""The dangers: how each is made, seen, and made impossible, by ordinary API calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from opentrail.testing.world import OpenTrail

EXCEPT = {"Key": "opentrail-remediation", "Value": "except"}
WORLD = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*"}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One danger. ``name`` is the resource's, as ``make`` answered it.

    Attributes:
        make: a harmless resource; its argument is a word that no other test uses.
        endanger: the dangerous call, alone.
        is_dangerous: is the live resource dangerous?
        remove: takes the resource away; None when it cannot go.
        tag: excepts it; None when it has no tags.
    """

    playbook: str
    make: Callable[[OpenTrail, str], str]
    endanger: Callable[[OpenTrail, str], object]
    is_dangerous: Callable[[OpenTrail, str], bool]
    remove: Callable[[OpenTrail, str], object] | None
    tag: Callable[[OpenTrail, str], object] | None


def failing(code: str, call: Callable[[], Any]) -> bool:
    """Does the call fail with ``code``?"""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            raise
        return True
    return False


def world_policy(action: str, resource: str) -> str:
    """A policy that lets everybody in."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


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

CASES = [*BUCKETS, *GROUPS]
