"""What AWS's answers say and moto's leave out, or the other way round."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.conformance.capture.oracle import Laptop, last
from tests.conformance.capture.settings import ACCOUNT, IMAGE, TRUST


def answer(laptop: Laptop) -> Any:
    """What the last record says the call answered."""
    return last(laptop)["responseElements"]


def test_a_new_instance_has_the_groups_of_its_interface_and_its_types_cores(laptop: Laptop) -> None:
    laptop.client("ec2").run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, InstanceType="t3.micro")

    instance = answer(laptop)["instancesSet"]["items"][0]
    assert instance["groupSet"] == instance["networkInterfaceSet"]["items"][0]["groupSet"]
    assert instance["groupSet"]["items"][0]["groupName"] == "default"
    assert instance["cpuOptions"] == {"coreCount": 1, "threadsPerCore": 2}
    assert instance["stateReason"] == {"code": "pending", "message": "pending"}
    assert "dnsName" not in instance


def test_operations_of_ec2s_soap_api_are_spelled_in_its_words(laptop: Laptop) -> None:
    ec2 = laptop.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})

    assert last(laptop)["requestParameters"] == {"vpcId": vpc, "enableDnsHostnames": {"value": True}}
    assert answer(laptop) == {"requestId": last(laptop)["requestID"], "_return": True}


def test_a_rule_of_a_security_group_has_an_arn(laptop: Laptop) -> None:
    ec2 = laptop.client("ec2")
    group = ec2.create_security_group(GroupName="g", Description="d")["GroupId"]

    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    )

    rule = answer(laptop)["securityGroupRuleSet"]["items"][0]
    assert rule["securityGroupRuleArn"] == (
        f"arn:aws:ec2:us-east-1:{ACCOUNT}:security-group-rule/{rule['securityGroupRuleId']}"
    )


def test_a_key_that_will_be_deleted_says_when_and_how_long_it_waits(laptop: Laptop) -> None:
    kms = laptop.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]

    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)

    assert answer(laptop)["keyState"] == "PendingDeletion"
    assert answer(laptop)["pendingWindowInDays"] == 7


def test_a_web_identitys_answer_names_the_tokens_subject_audience_and_issuer(laptop: Laptop) -> None:
    claims = {"iss": "accounts.google.com", "aud": "app", "sub": "1234"}
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({}, claims))
    laptop.client("iam").create_role(RoleName="web", AssumeRolePolicyDocument=TRUST)

    laptop.client("sts").assume_role_with_web_identity(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/web",
        RoleSessionName="s",
        WebIdentityToken=".".join((*parts, "s")),
    )

    assert last(laptop)["requestParameters"] == {
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/web",
        "roleSessionName": "s",
    }
    assert answer(laptop)["subjectFromWebIdentityToken"] == "1234"
    assert answer(laptop)["audience"] == "app"
    assert answer(laptop)["provider"] == "accounts.google.com"


def test_one_time_codes_are_not_recorded(laptop: Laptop) -> None:
    iam = laptop.client("iam")
    iam.create_user(UserName="alice")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="m")["VirtualMFADevice"]["SerialNumber"]

    iam.enable_mfa_device(
        UserName="alice", SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )

    assert last(laptop)["requestParameters"] == {"userName": "alice", "serialNumber": device}
