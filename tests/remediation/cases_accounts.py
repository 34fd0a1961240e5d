"""Dangers of users, of the account, and of what watches over it."""

from __future__ import annotations

import json

from opentrail.testing.world import OpenTrail
from tests.remediation.case import EXCEPT, Case

EVERYTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)


def _user(aws: OpenTrail, word: str) -> str:
    aws.client("iam").create_user(UserName=word)
    return word


def _remove_user(aws: OpenTrail, name: str) -> None:
    aws.client("iam").delete_user_policy(UserName=name, PolicyName="all")
    aws.client("iam").delete_user(UserName=name)


def _strong_passwords(aws: OpenTrail, word: str) -> str:
    aws.client("iam").update_account_password_policy(
        MinimumPasswordLength=20, PasswordReusePrevention=24, RequireSymbols=True
    )
    return word


def _passwords_are_weak(aws: OpenTrail, name: str) -> bool:
    policy = aws.client("iam").get_account_password_policy()["PasswordPolicy"]
    return bool(policy["MinimumPasswordLength"] < 14)


def _encrypting(aws: OpenTrail, word: str) -> str:
    aws.client("ec2").enable_ebs_encryption_by_default()
    return word


def _detector(aws: OpenTrail, word: str) -> str:
    return str(aws.client("guardduty").create_detector(Enable=True)["DetectorId"])


def _recorder(aws: OpenTrail, word: str) -> str:
    config = aws.client("config")
    role = f"arn:aws:iam::{aws.account}:role/config"
    config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "config-logs"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    return "default"


def _records_nothing(aws: OpenTrail, name: str) -> bool:
    (status,) = aws.client("config").describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    return not status["recording"]


ACCOUNTS = [
    Case(
        playbook="iam-admin-user",
        make=_user,
        endanger=lambda aws, name: aws.client("iam").put_user_policy(
            UserName=name, PolicyName="all", PolicyDocument=EVERYTHING
        ),
        is_dangerous=lambda aws, name: bool(
            aws.client("iam").list_user_policies(UserName=name)["PolicyNames"]
        ),
        remove=_remove_user,
        tag=lambda aws, name: aws.client("iam").tag_user(UserName=name, Tags=[EXCEPT]),
    ),
    Case(
        playbook="password-policy",
        make=_strong_passwords,
        endanger=lambda aws, name: aws.client("iam").update_account_password_policy(MinimumPasswordLength=6),
        is_dangerous=_passwords_are_weak,
        remove=None,
        tag=None,
    ),
    Case(
        playbook="ebs-encryption",
        make=_encrypting,
        endanger=lambda aws, name: aws.client("ec2").disable_ebs_encryption_by_default(),
        is_dangerous=lambda aws, name: (
            not aws.client("ec2").get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
        ),
        remove=None,
        tag=None,
    ),
    Case(
        playbook="guardduty-stopped",
        make=_detector,
        endanger=lambda aws, name: aws.client("guardduty").update_detector(DetectorId=name, Enable=False),
        is_dangerous=lambda aws, name: (
            aws.client("guardduty").get_detector(DetectorId=name)["Status"] == "DISABLED"
        ),
        remove=None,
        tag=None,
    ),
    Case(
        playbook="config-stopped",
        make=_recorder,
        endanger=lambda aws, name: aws.client("config").stop_configuration_recorder(
            ConfigurationRecorderName=name
        ),
        is_dangerous=_records_nothing,
        remove=lambda aws, name: aws.client("config").delete_configuration_recorder(
            ConfigurationRecorderName=name
        ),
        tag=None,
    ),
]
