"""Buckets, keys, topics, log groups and roles, read from moto."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opentrail.adapters.aws.destinations import CloudWatchLogGroups, IamRoles, KmsKeys, S3Buckets, SnsTopics
from opentrail.errors import StorageError
from opentrail.model.resource import Bucket
from tests.adapters.api.conftest import ACCOUNT, ClientsFor

POLICY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}],
}
HOME = "us-east-1"


def test_a_plain_bucket(clients_for: ClientsFor) -> None:
    s3 = clients_for(ACCOUNT, HOME)("s3")
    s3.create_bucket(Bucket="audit-logs")

    assert S3Buckets(clients_for, HOME).find("audit-logs", ACCOUNT) == Bucket(region=HOME, policy=None)


def test_a_bucket_of_another_region_with_everything_set(clients_for: ClientsFor) -> None:
    s3 = clients_for(ACCOUNT, "eu-west-1")("s3")
    s3.create_bucket(Bucket="audit-logs", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_policy(Bucket="audit-logs", Policy=json.dumps(POLICY))
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket="audit-logs", ServerSideEncryptionConfiguration={"Rules": [rule]})

    found = S3Buckets(clients_for, HOME).find("audit-logs", ACCOUNT)

    assert found == Bucket(region="eu-west-1", policy=POLICY, uses_bucket_key=True)


def test_no_bucket(clients_for: ClientsFor) -> None:
    assert S3Buckets(clients_for, HOME).find("nothing", ACCOUNT) is None


def test_keys_by_id_arn_and_alias(clients_for: ClientsFor) -> None:
    kms = clients_for(ACCOUNT, HOME)("kms")
    key = kms.create_key(Policy=json.dumps(POLICY))["KeyMetadata"]
    kms.create_alias(AliasName="alias/logs", TargetKeyId=key["KeyId"])
    alias_arn = key["Arn"].split(":key/")[0] + ":alias/logs"
    keys = KmsKeys(clients_for)

    found = [
        keys.find(key_id, ACCOUNT, HOME) for key_id in (key["KeyId"], key["Arn"], "alias/logs", alias_arn)
    ]

    assert found[0] is not None
    assert (found[0].arn, found[0].region, found[0].policy) == (key["Arn"], HOME, POLICY)
    assert (found[0].enabled, found[0].symmetric) == (True, True)
    assert found[1:] == [found[0]] * 3


def test_a_disabled_key_and_a_signing_key(clients_for: ClientsFor) -> None:
    kms = clients_for(ACCOUNT, HOME)("kms")
    disabled = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=disabled)
    signing = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]

    found = [KmsKeys(clients_for).find(key, ACCOUNT, HOME) for key in (disabled, signing)]

    assert [(key.enabled, key.symmetric) for key in found if key] == [(False, True), (True, False)]


@pytest.mark.parametrize("key_id", ["alias/nothing", "11111111-2222-3333-4444-555555555555"])
def test_no_key(clients_for: ClientsFor, key_id: str) -> None:
    assert KmsKeys(clients_for).find(key_id, ACCOUNT, HOME) is None


def test_a_key_arn_is_looked_for_where_it_says(clients_for: ClientsFor) -> None:
    arn = clients_for(ACCOUNT, "eu-west-1")("kms").create_key()["KeyMetadata"]["Arn"]

    found = KmsKeys(clients_for).find(arn, ACCOUNT, HOME)

    assert found is not None
    assert found.region == "eu-west-1"


def test_topics(clients_for: ClientsFor) -> None:
    sns = clients_for(ACCOUNT, "eu-west-1")("sns")
    attributes = {"Policy": json.dumps(POLICY), "KmsMasterKeyId": "alias/topic"}
    arn = sns.create_topic(Name="news", Attributes=attributes)["TopicArn"]

    found = SnsTopics(clients_for).find(arn)

    assert found is not None
    assert (found.policy, found.key_id) == (POLICY, "alias/topic")
    assert SnsTopics(clients_for).find(arn + "2") is None


def test_log_groups_by_their_whole_name(clients_for: ClientsFor) -> None:
    clients_for(ACCOUNT, HOME)("logs").create_log_group(logGroupName="trail/logs")
    groups = CloudWatchLogGroups(clients_for)

    assert groups.exists("trail/logs", ACCOUNT, HOME)
    assert not groups.exists("trail", ACCOUNT, HOME)
    assert not groups.exists("trail/logs", ACCOUNT, "eu-west-1")


def test_a_role_with_inline_and_attached_policies(clients_for: ClientsFor) -> None:
    iam = clients_for(ACCOUNT, HOME)("iam")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}
    arn = iam.create_role(RoleName="r", Path="/p/", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    inline = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}],
    }
    iam.put_role_policy(RoleName="r", PolicyName="inline", PolicyDocument=json.dumps(inline))
    attached = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "logs:*", "Resource": "*"}],
    }
    policy = iam.create_policy(PolicyName="attached", PolicyDocument=json.dumps(attached))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=policy)

    found = IamRoles(clients_for, HOME).find(arn)

    assert found is not None
    assert (found.trust, found.policies) == (trust, [inline, attached])
    assert IamRoles(clients_for, HOME).find(arn.replace("/p/", "/")) is None
    assert IamRoles(clients_for, HOME).find(arn + "2") is None


def test_other_refusals_are_storage_errors(clients_for: ClientsFor) -> None:
    arn = f"arn:aws:sns:{HOME}:{ACCOUNT}:news"

    def broken(account: str, region: str) -> Any:
        client = clients_for(account, region)("sns")

        def refuse(**_: Any) -> Any:
            raise client.exceptions.InternalErrorException(
                {"Error": {"Code": "InternalError"}}, "GetTopicAttributes"
            )

        client.get_topic_attributes = refuse
        return lambda service: client

    with pytest.raises(StorageError, match="news") as caught:
        SnsTopics(broken).find(arn)

    assert caught.value.code == "InternalError"
