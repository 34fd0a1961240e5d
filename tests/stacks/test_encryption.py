"""The options kmsEncryption and alarmEmail: without a key of our own, and with somebody to tell."""

from __future__ import annotations

import json

from tests.stacks.conftest import Template, Templates
from tests.stacks.test_checks import bodies_of


def test_by_default_everything_stored_is_encrypted_with_one_key(templates: Templates) -> None:
    found = [resource for body in bodies_of(templates) for resource in body["Resources"].values()]

    tables = [r["Properties"]["SSESpecification"] for r in found if r["Type"] == "AWS::DynamoDB::Table"]
    assert {table["SSEType"] for table in tables} == {"KMS"}
    assert all("KmsMasterKeyId" in r["Properties"] for r in found if r["Type"] == "AWS::SQS::Queue")


def test_without_the_key_services_encrypt_with_their_own(plain: Templates) -> None:
    buckets = plain.storage.of_type("AWS::S3::Bucket").values()
    rules = [
        rule["ServerSideEncryptionByDefault"]
        for bucket in buckets
        for rule in bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    ]
    assert rules == [{"SSEAlgorithm": "AES256"}] * len(buckets)
    queues = [q for stack in _of(plain) for q in stack.of_type("AWS::SQS::Queue").values()]
    assert all(queue["SqsManagedSseEnabled"] is True for queue in queues)
    assert all("KmsMasterKeyId" not in queue for queue in queues)
    for table in plain.storage.of_type("AWS::DynamoDB::Table").values():
        assert table["SSESpecification"] == {"SSEEnabled": False}  # with a key that DynamoDB owns


def test_without_the_key_only_the_signing_key_is_left(plain: Templates) -> None:
    (key,) = plain.storage.of_type("AWS::KMS::Key").values()

    assert key["KeySpec"] == "RSA_2048"
    assert "EncryptionKeyArn" not in plain.storage.body["Outputs"]


def test_without_the_key_no_role_may_encrypt_or_decrypt(plain: Templates) -> None:
    for stack in _of(plain):
        policies = json.dumps(stack.of_type("AWS::IAM::Policy"))
        assert "kms:Decrypt" not in policies, stack.path.name
        assert "kms:GenerateDataKey" not in policies, stack.path.name


def test_an_address_hears_of_every_alarm(plain: Templates) -> None:
    (subscription,) = plain.storage.of_type("AWS::SNS::Subscription").values()
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "on-call@example.com")

    topic = plain.storage.id_of("AWS::SNS::Topic", "AlarmTopic")
    assert plain.storage.body["Resources"][topic]["DeletionPolicy"] == "Retain"
    told = {"Fn::ImportValue": f"OpenTrailStorage:ExportsOutputRef{topic}"}
    alarms = [a for stack in _of(plain) for a in stack.of_type("AWS::CloudWatch::Alarm").values()]
    assert len(alarms) > 20
    assert {json.dumps(alarm["AlarmActions"])[:60] for alarm in alarms} == {json.dumps([told])[:60]}


def _of(installation: Templates) -> list[Template]:
    names = [
        path.name.removesuffix(".template.json") for path in installation.directory.glob("*.template.json")
    ]
    return [installation.read(name) for name in sorted(names)]
