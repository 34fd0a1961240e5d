"""Further ways into the same dangers: those that take permissions which no case of ``cases`` takes."""

from __future__ import annotations

import json
from typing import Any

from opentrail.testing.world import OpenTrail
from tests.remediation.case import Case, failing, world_policy
from tests.remediation.cases import CASES
from tests.remediation.cases_accounts import EVERYTHING

MUCH_TOO_SOON = {
    "Rules": [{"ID": "soon", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]
}
ONLY_WRITES = [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]
_first = {case.playbook: case for case in CASES}


def _user_and_policy(aws: OpenTrail, word: str) -> str:
    iam = aws.client("iam")
    iam.create_user(UserName=f"user-{word}")
    iam.create_policy(PolicyName=f"wide-user-{word}", PolicyDocument=EVERYTHING)
    return f"user-{word}"


def _attach(aws: OpenTrail, name: str) -> None:
    arn = f"arn:aws:iam::{aws.account}:policy/wide-{name}"
    aws.client("iam").attach_user_policy(UserName=name, PolicyArn=arn)


def _has_attached(aws: OpenTrail, name: str) -> bool:
    return bool(aws.client("iam").list_attached_user_policies(UserName=name)["AttachedPolicies"])


def _only_detector(aws: OpenTrail, word: str) -> str:
    guardduty = aws.client("guardduty")
    for detector in guardduty.list_detectors()["DetectorIds"]:
        guardduty.delete_detector(DetectorId=detector)
    return str(guardduty.create_detector(Enable=True)["DetectorId"])


def _has_no_passwords_policy(aws: OpenTrail, name: str) -> bool:
    return failing("NoSuchEntity", aws.client("iam").get_account_password_policy)


def _has_rules(aws: OpenTrail, name: str) -> bool:
    s3 = aws.client("s3")
    return not failing(
        "NoSuchLifecycleConfiguration", lambda: s3.get_bucket_lifecycle_configuration(Bucket=name)
    )


def _has_no_policy(aws: OpenTrail, name: str) -> bool:
    return failing("NoSuchBucketPolicy", lambda: aws.client("s3").get_bucket_policy(Bucket=name))


def _deny_cloudtrail(aws: OpenTrail, name: str) -> None:
    s3 = aws.client("s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
    denial = {"Effect": "Deny", "Principal": "*", "Action": "s3:Put*", "Resource": f"arn:aws:s3:::{name}/*"}
    policy["Statement"].append(denial)
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))


def _denies(aws: OpenTrail, name: str) -> bool:
    return "Deny" in aws.client("s3").get_bucket_policy(Bucket=name)["Policy"]


def _trail_of_writes(aws: OpenTrail, name: str) -> bool:
    (selector,) = aws.client("cloudtrail").get_event_selectors(TrailName=name)["EventSelectors"]
    return bool(selector["ReadWriteType"] != "All")


def _make_again(aws: OpenTrail, name: str) -> None:
    cloudtrail = aws.client("cloudtrail")
    cloudtrail.delete_trail(Name=name)
    cloudtrail.create_trail(Name=name, S3BucketName=aws.runtime.outputs["LogBucketName"])


def _open_by_name(aws: OpenTrail, name: str) -> None:
    ec2 = aws.client("ec2")
    (group,) = ec2.describe_security_groups(GroupIds=[name])["SecurityGroups"]
    ranges = [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "0.0.0.0/0"}]
    rule = {"IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389, "IpRanges": ranges}
    ec2.authorize_security_group_ingress(GroupName=group["GroupName"], IpPermissions=[rule])


def _create_open_topic(aws: OpenTrail, name: str) -> None:
    attributes = {"Policy": world_policy("sns:Publish", name)}
    aws.client("sns").create_topic(Name=name.rpartition(":")[2], Attributes=attributes)


def _cluster_snapshot(aws: OpenTrail, word: str) -> str:
    rds = aws.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier=f"cluster-{word}",
        Engine="aurora-postgresql",
        MasterUsername="admin1",
        MasterUserPassword="not-a-secret",
    )
    rds.create_db_cluster_snapshot(
        DBClusterIdentifier=f"cluster-{word}", DBClusterSnapshotIdentifier=f"clusters-{word}"
    )
    return f"clusters-{word}"


def _share_cluster(aws: OpenTrail, name: str) -> None:
    aws.client("rds").modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=["all"]
    )


def _cluster_is_shared(aws: OpenTrail, name: str) -> bool:
    result = aws.client("rds").describe_db_cluster_snapshot_attributes(DBClusterSnapshotIdentifier=name)
    attributes: list[dict[str, Any]] = result["DBClusterSnapshotAttributesResult"][
        "DBClusterSnapshotAttributes"
    ]
    return any("all" in attribute["AttributeValues"] for attribute in attributes)


def _case(playbook: str, endanger: Any, is_dangerous: Any = None, make: Any = None) -> Case:
    first = _first[playbook]
    return Case(
        playbook=playbook,
        make=make or first.make,
        endanger=endanger,
        is_dangerous=is_dangerous or first.is_dangerous,
        remove=None,
        tag=None,
        recorded=first.recorded,
    )


FURTHER = [
    _case("iam-admin-user", _attach, _has_attached, make=_user_and_policy),
    _case(
        "guardduty-stopped",
        lambda aws, name: aws.client("guardduty").delete_detector(DetectorId=name),
        lambda aws, name: not aws.client("guardduty").list_detectors()["DetectorIds"],
        make=_only_detector,
    ),
    _case(
        "password-policy",
        lambda aws, name: aws.client("iam").delete_account_password_policy(),
        _has_no_passwords_policy,
    ),
    _case(
        "log-bucket-weakened",
        lambda aws, name: aws.client("s3").delete_bucket_policy(Bucket=name),
        _has_no_policy,
    ),
    _case(
        "log-bucket-weakened",
        lambda aws, name: aws.client("s3").put_bucket_lifecycle_configuration(
            Bucket=name, LifecycleConfiguration=MUCH_TOO_SOON
        ),
        _has_rules,
    ),
    _case(
        "trail-weakened",
        lambda aws, name: aws.client("cloudtrail").put_event_selectors(
            TrailName=name, EventSelectors=ONLY_WRITES
        ),
        _trail_of_writes,
    ),
    _case("open-security-group", _open_by_name),
    _case("log-bucket-weakened", _deny_cloudtrail, _denies),
    _case(
        "public-topic",
        _create_open_topic,
        make=lambda aws, word: f"arn:aws:sns:{aws.region}:{aws.account}:new-{word}",
    ),
    _case("trail-deleted", _make_again, _first["trail-stopped"].is_dangerous),
    _case("trail-key-disabled", lambda aws, name: aws.client("kms").disable_key(KeyId=name)),
    _case("public-rds-snapshot", _share_cluster, _cluster_is_shared, make=_cluster_snapshot),
]
