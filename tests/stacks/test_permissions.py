"""Least privilege: what each role may do is written out here, and nothing more is in the template."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stacks.conftest import Template, Templates

AT_REST = {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"}
OWN_LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
TAKE = {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
ENTER_FILES = {
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
}
READ_TRAILS = {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"}

GRANTED: dict[str, dict[str, set[str]]] = {
    "Record": {
        "RecordLogs": OWN_LOGS,
        "IntakeQueue": TAKE,
        "DeliveryQueue": {"sqs:SendMessage"},
        "IntakeDeadLetters": {"sqs:SendMessage"},
        "TrailsTable": READ_TRAILS | {"dynamodb:UpdateItem"},
        "EncryptionKey": AT_REST,
        "*": {"organizations:ListAccounts"},
    },
    "Deliver": {
        "DeliverLogs": OWN_LOGS,
        "DeliveryQueue": TAKE,
        "TrailsTable": {"dynamodb:UpdateItem"},
        "LedgerTable": ENTER_FILES,
        "HistoryTable": {"dynamodb:PutItem"},
        "LogsBucket": {"s3:ListBucket"},
        "LogsBucket/AWSLogs/*": {"s3:GetObject", "s3:PutObject"},
        "LogsBucket/*/AWSLogs/*": {"s3:GetObject", "s3:PutObject"},
        "HistoryBucket": {"s3:ListBucket"},
        "HistoryBucket/history/*": {"s3:GetObject", "s3:PutObject"},
        "EncryptionKey": AT_REST,
    },
    "Rollup": {
        "RollupLogs": OWN_LOGS,
        "HistoryTable": {"dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"},
        "HistoryBucket": {"s3:ListBucket"},
        "HistoryBucket/history/*": {"s3:GetObject", "s3:PutObject"},
        "EncryptionKey": AT_REST,
    },
    "Digest": {
        "DigestLogs": OWN_LOGS,
        "TrailsTable": READ_TRAILS | {"dynamodb:UpdateItem"},
        "LedgerTable": ENTER_FILES | {"dynamodb:BatchWriteItem", "dynamodb:DeleteItem"},
        "AnchorTable": {"dynamodb:GetItem", "dynamodb:PutItem"},
        "LogsBucket": {"s3:ListBucket"},
        "LogsBucket/AWSLogs/*": {"s3:GetObject", "s3:PutObject"},
        "LogsBucket/*/AWSLogs/*": {"s3:GetObject", "s3:PutObject"},
        "SigningKey": {"kms:Sign", "kms:GetPublicKey", "kms:DescribeKey"},
        # With a condition: test_key_rotation.
        "arn:AWS::Partition:kms:AWS::Region:AWS::AccountId:key/*": {"kms:Sign"},
        "EncryptionKey": AT_REST,
    },
}


@pytest.mark.parametrize("stage", GRANTED)
def test_role_may_do_this_and_nothing_else(pipeline: Template, stage: str) -> None:
    granted: dict[str, set[str]] = {}
    for statement in statements(pipeline, stage):
        for resource in as_list(statement["Resource"]):
            granted.setdefault(named(resource), set()).update(as_list(statement["Action"]))

    assert granted == GRANTED[stage]


@pytest.mark.parametrize("stage", GRANTED)
def test_keys_are_used_only_through_a_service(pipeline: Template, stage: str) -> None:
    use = [s for s in statements(pipeline, stage) if "kms:Decrypt" in as_list(s["Action"])]

    assert [list(s["Condition"]["StringEquals"]) for s in use] == [["kms:ViaService"]]


@pytest.mark.parametrize("stage", GRANTED)
def test_only_lambda_may_take_on_the_role(pipeline: Template, stage: str) -> None:
    role = pipeline.only("AWS::IAM::Role", f"{stage}Role")

    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert "ManagedPolicyArns" not in role


@pytest.mark.parametrize("stage", GRANTED)
def test_two_installations_do_not_share_roles(pipeline: Template, configured: Templates, stage: str) -> None:
    names = [
        template.only("AWS::IAM::Role", f"{stage}Role")["RoleName"]["Fn::Join"][1][0]
        for template in (pipeline, configured.pipeline)
    ]

    assert names == [f"OpenTrail-{stage.lower()}-", f"Audit-{stage.lower()}-"]


@pytest.mark.parametrize("stage", ["Deliver", "Digest"])
def test_configured_buckets_may_be_delivered_to(configured: Templates, stage: str) -> None:
    resources = [
        str(resource)
        for statement in statements(configured.pipeline, stage)
        if "s3:PutObject" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]

    for name in ("team-a-logs", "team-b-logs"):
        assert [text for text in resources if f":::{name}/AWSLogs/*" in text]
        assert [text for text in resources if f":::{name}/*/AWSLogs/*" in text]


def test_configured_keys_may_be_used_for_delivery(configured: Templates) -> None:
    (use,) = (s for s in statements(configured.pipeline, "Deliver") if "kms:Encrypt" in as_list(s["Action"]))

    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    assert [resource for resource in use["Resource"] if isinstance(resource, str)] == [key]


def test_each_configured_topic_may_be_notified_by_the_one_that_does(configured: Templates) -> None:
    topics = {
        stage: statement["Resource"]
        for stage in GRANTED
        for statement in statements(configured.pipeline, stage)
        if "sns:Publish" in as_list(statement["Action"])
    }

    start = "arn:aws:sns:us-east-1:123456789012:"
    assert topics == {"Deliver": f"{start}new-log-files", "Digest": f"{start}heads"}


@pytest.mark.parametrize("role", ["Deliver", "Digest", "Api"])
def test_encrypted_topics_may_be_published_to_through_sns_alone(configured: Templates, role: str) -> None:
    template = configured.api if role == "Api" else configured.pipeline

    (use,) = (s for s in statements(template, role) if is_key_use(s))

    through_sns = {"Fn::Join": ["", ["sns.us-east-1.", {"Ref": "AWS::URLSuffix"}]]}
    assert use["Condition"] == {"StringEquals": {"kms:ViaService": [through_sns]}}


def is_key_use(statement: dict[str, Any]) -> bool:
    return set(as_list(statement["Action"])) == {"kms:Decrypt", "kms:GenerateDataKey"}


def statements(pipeline: Template, stage: str) -> list[dict[str, Any]]:
    """Every statement of the one policy of a stage's role."""
    policy = pipeline.only("AWS::IAM::Policy", f"{stage}Role")
    assert {s["Effect"] for s in policy["PolicyDocument"]["Statement"]} == {"Allow"}
    return list(policy["PolicyDocument"]["Statement"])


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def named(resource: Any) -> str:
    """A reference as the construct it leads to, and the key pattern after it: ``LogsBucket/AWSLogs/*``."""
    if resource == "*":
        return "*"
    if "Fn::Join" in resource:
        reference, *rest = resource["Fn::Join"][1]
        if isinstance(reference, str):  # an ARN that is spelled out
            return "".join(part if isinstance(part, str) else part["Ref"] for part in (reference, *rest))
        return named(reference) + "".join(rest)
    if "Fn::GetAtt" in resource:
        return str(resource["Fn::GetAtt"][0])[:-8]  # eight hex digits of hash end a logical id
    exported = resource["Fn::ImportValue"]
    return str(exported).partition("ExportsOutputFnGetAtt")[2].partition("Arn")[0][:-8]
