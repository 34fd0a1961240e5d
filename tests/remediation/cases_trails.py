"""Dangers of trails, their bucket and their key."""

from __future__ import annotations

import json
from typing import Any

from opentrail.testing.trail import make_trail
from opentrail.testing.world import OpenTrail
from tests.remediation.case import EXCEPT, Case

ALL_BUT_KMS = {"ReadWriteType": "All", "ExcludeManagementEventSources": ["kms.amazonaws.com"]}


def _trail(aws: OpenTrail, word: str) -> str:
    """A trail that logs; named so that no other test's trail is like it."""
    return aws.trail(f"trail-{word}").name


def _trail_in_history(aws: OpenTrail, word: str) -> str:
    """The same, made by calls that are recorded."""
    trail = make_trail(
        aws.client,
        aws.client("s3"),
        account=aws.account,
        region=aws.region,
        name=f"trail-{word}",
        options={
            "S3BucketName": aws.runtime.outputs["LogBucketName"],
            "EnableLogFileValidation": True,
            "EventSelectors": [ALL_BUT_KMS],
        },
    )
    return trail.name


def _tag_trail(aws: OpenTrail, name: str) -> None:
    aws.client("cloudtrail").add_tags(ResourceId=_arn(aws, name), TagsList=[EXCEPT])


def _arn(aws: OpenTrail, name: str) -> str:
    return f"arn:aws:cloudtrail:{aws.region}:{aws.account}:trail/{name}"


def _delete_trail(aws: OpenTrail, name: str) -> None:
    aws.client("cloudtrail").delete_trail(Name=name)


def _is_deleted(aws: OpenTrail, name: str) -> bool:
    trails = aws.client("cloudtrail").describe_trails(trailNameList=[name])["trailList"]
    return not trails


def _unvalidated(aws: OpenTrail, name: str) -> None:
    aws.client("cloudtrail").update_trail(Name=name, EnableLogFileValidation=False)


def _is_unvalidated(aws: OpenTrail, name: str) -> bool:
    return not aws.client("cloudtrail").get_trail(Name=name)["Trail"]["LogFileValidationEnabled"]


def _bucket_of_trail(aws: OpenTrail, word: str) -> str:
    return aws.trail(f"trail-{word}").bucket


def _suspend(aws: OpenTrail, name: str) -> None:
    aws.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})


def _remove_bucket(aws: OpenTrail, name: str) -> None:
    s3 = aws.client("s3")
    for version in s3.list_object_versions(Bucket=name).get("Versions", []):
        s3.delete_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=name)


def _key_of_trail(aws: OpenTrail, word: str) -> str:
    key = aws.client("kms").create_key()["KeyMetadata"]
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com", "AWS": f"arn:aws:iam::{aws.account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("kms").put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=policy)
    aws.trail(f"trail-{word}", KmsKeyId=key["Arn"])
    return str(key["KeyId"])


def _key_is_out_of_use(aws: OpenTrail, name: str) -> bool:
    state = aws.client("kms").describe_key(KeyId=name)["KeyMetadata"]["KeyState"]
    return bool(state != "Enabled")


TRAILS = [
    Case(
        playbook="trail-stopped",
        make=_trail,
        endanger=lambda aws, name: aws.client("cloudtrail").stop_logging(Name=name),
        is_dangerous=lambda aws, name: not aws.client("cloudtrail").get_trail_status(Name=name)["IsLogging"],
        remove=_delete_trail,
        tag=_tag_trail,
    ),
    Case(
        playbook="trail-weakened",
        make=_trail,
        endanger=_unvalidated,
        is_dangerous=_is_unvalidated,
        remove=_delete_trail,
        tag=_tag_trail,
    ),
    Case(
        playbook="trail-deleted",
        make=_trail_in_history,
        endanger=_delete_trail,
        is_dangerous=_is_deleted,
        remove=None,
        tag=None,
        recorded=True,
    ),
    Case(
        playbook="log-bucket-weakened",
        make=_bucket_of_trail,
        endanger=_suspend,
        is_dangerous=lambda aws, name: (
            aws.client("s3").get_bucket_versioning(Bucket=name)["Status"] == "Suspended"
        ),
        remove=_remove_bucket,
        tag=lambda aws, name: aws.client("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": [EXCEPT]}),
    ),
    Case(
        playbook="trail-key-disabled",
        make=_key_of_trail,
        endanger=lambda aws, name: aws.client("kms").schedule_key_deletion(KeyId=name),
        is_dangerous=_key_is_out_of_use,
        remove=None,
        tag=lambda aws, name: aws.client("kms").tag_resource(
            KeyId=name, Tags=[{"TagKey": EXCEPT["Key"], "TagValue": EXCEPT["Value"]}]
        ),
    ),
]
