"""Keys and aliases: what the template asks for is what KMS shows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opentrail.errors import DeployError
from tests.adapters.deployer.conftest import ACCOUNT, Deployer, resource

KEY = "AWS::KMS::Key"
POLICY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}


def described(deployer: Deployer, key: str) -> Any:
    """Return KMS's description of a key."""
    return deployer.clients("kms").describe_key(KeyId=key)["KeyMetadata"]


def policy_of(deployer: Deployer, key: str) -> Any:
    """Return a key's policy, parsed."""
    return json.loads(deployer.clients("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"])


def test_symmetric_key_with_rotation(deployer: Deployer) -> None:
    key = deployer.one(KEY, KeyPolicy=POLICY, EnableKeyRotation=True, Description="all data")

    kms = deployer.clients("kms")
    assert described(deployer, key)["KeySpec"] == "SYMMETRIC_DEFAULT"
    assert described(deployer, key)["Description"] == "all data"
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is True
    assert policy_of(deployer, key) == POLICY


def test_signing_key_signs(deployer: Deployer) -> None:
    key = deployer.one(KEY, KeyPolicy=POLICY, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")

    call = {"KeyId": key, "MessageType": "RAW", "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}
    signature = deployer.clients("kms").sign(Message=b"digest", **call)["Signature"]
    answer = deployer.clients("kms").verify(Message=b"digest", Signature=signature, **call)
    assert answer["SignatureValid"] is True


def test_key_changes_in_place(deployer: Deployer) -> None:
    tags = [{"Key": "k", "Value": "old"}, {"Key": "gone", "Value": "x"}]
    key = deployer.one(KEY, KeyPolicy=POLICY, EnableKeyRotation=True, Tags=tags)
    changed = {**POLICY, "Id": "changed"}

    again = deployer.one(
        KEY, KeyPolicy=changed, Description="new", Enabled=False, Tags=[{"Key": "k", "Value": "new"}]
    )

    kms = deployer.clients("kms")
    assert again == key
    assert policy_of(deployer, key) == changed
    assert described(deployer, key)["Description"] == "new"
    assert described(deployer, key)["KeyState"] == "Disabled"
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "k", "TagValue": "new"}]


def test_rotation_is_switched_off(deployer: Deployer) -> None:
    key = deployer.one(KEY, EnableKeyRotation=True, RotationPeriodInDays=180)

    deployer.one(KEY)

    assert deployer.clients("kms").get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False


def test_policy_cannot_be_taken_away(deployer: Deployer) -> None:
    key = deployer.one(KEY, KeyPolicy=POLICY)

    with pytest.raises(DeployError, match="property KeyPolicy cannot be removed"):
        deployer.one(KEY)

    assert policy_of(deployer, key) == POLICY


def test_other_key_spec_is_another_key(deployer: Deployer) -> None:
    first = deployer.one(KEY)

    second = deployer.one(KEY, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC", PendingWindowInDays=7)
    deployer.engine.delete("Stack")

    assert first != second
    assert described(deployer, first)["KeyState"] == "PendingDeletion"
    assert described(deployer, second)["KeyState"] == "PendingDeletion"


def test_alias_follows_its_key(deployer: Deployer) -> None:
    def resources(target: str) -> dict[str, Any]:
        alias = resource(
            "AWS::KMS::Alias", AliasName="alias/trail", TargetKeyId={"Fn::GetAtt": [target, "Arn"]}
        )
        return {"One": resource(KEY), "Two": resource(KEY, Description="two"), "Alias": alias}

    state = deployer.deploy(resources("One"))
    assert described(deployer, "alias/trail")["KeyId"] == deployer.physical_id(state, "One")
    state = deployer.deploy(resources("Two"))
    assert described(deployer, "alias/trail")["KeyId"] == deployer.physical_id(state, "Two")
    deployer.deploy({"One": resource(KEY)})
    assert deployer.clients("kms").list_aliases(KeyId=deployer.physical_id(state, "One"))["Aliases"] == []
