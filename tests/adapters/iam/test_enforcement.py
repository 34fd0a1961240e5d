"""Calls through the gateway of `opentrail up --iam`: who gets through, and how a denial looks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from opentrail.testing.world import OpenTrail
from tests.adapters.iam.conftest import MakeUser, allow

TABLE = {
    "TableName": "orders",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
}


def denial(call: Any, **parameters: Any) -> tuple[str, str]:
    """Return code and message of a call that must be denied."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code", "about"),
    [
        ("iam", "list_users", {}, "AccessDenied", "iam:ListUsers"),
        ("dynamodb", "list_tables", {}, "AccessDeniedException", "dynamodb:ListTables"),
        ("lambda", "get_function", {"FunctionName": "f"}, "AccessDeniedException", "lambda:GetFunction"),
        ("ec2", "describe_vpcs", {}, "UnauthorizedOperation", "ec2:DescribeVpcs"),
        ("s3", "list_buckets", {}, "AccessDenied", "s3:ListAllMyBuckets"),
        ("sns", "list_topics", {}, "AuthorizationError", "sns:ListTopics"),
        ("sqs", "list_queues", {}, "AccessDeniedException", "sqs:ListQueues"),
        ("kms", "create_key", {}, "AccessDeniedException", "kms:CreateKey"),
        ("cloudformation", "list_exports", {}, "AccessDenied", "cloudformation:ListExports"),
    ],
)
def test_a_user_without_policies_is_denied_in_each_services_words(
    user: MakeUser,
    world: OpenTrail,
    service: str,
    operation: str,
    parameters: dict[str, Any],
    code: str,
    about: str,
) -> None:
    client = user()(service)

    found, message = denial(getattr(client, operation), **parameters)

    assert found == code
    assert f"is not authorized to perform: {about} on resource: " in message
    (record,) = world.events()
    assert "AccessDenied" in record["errorCode"] or code in record["errorCode"]


def test_everybody_may_ask_who_they_are(user: MakeUser) -> None:
    assert ":user/user-" in user()("sts").get_caller_identity()["Arn"]


def test_one_table_is_one_table(user: MakeUser, world: OpenTrail) -> None:
    world.client("dynamodb").create_table(**TABLE)
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
    client = user(allow("dynamodb:PutItem", on=arn))("dynamodb")

    client.put_item(TableName="orders", Item={"id": {"S": "1"}})

    assert arn in denial(client.get_item, TableName="orders", Key={"id": {"S": "1"}})[1]
    assert denial(client.put_item, TableName="others", Item={"id": {"S": "1"}})[0] == "AccessDeniedException"
    put = {"Put": {"TableName": "orders", "Item": {"id": {"S": "2"}}}}
    client.transact_write_items(TransactItems=[put])
    delete = {"Delete": {"TableName": "orders", "Key": {"id": {"S": "2"}}}}
    assert "dynamodb:DeleteItem" in denial(client.transact_write_items, TransactItems=[put, delete])[1]


def test_a_buckets_policy_lets_in_and_keeps_out(user: MakeUser, world: OpenTrail) -> None:
    s3 = world.client("s3")
    s3.create_bucket(Bucket="shared-data")
    clients = user(allow("s3:PutObject", on="arn:aws:s3:::shared-data/*"))
    arn = clients("sts").get_caller_identity()["Arn"]
    inside = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "s3:GetObject"}
    secret = {"Effect": "Deny", "Principal": "*", "Action": "s3:*"}
    statements = [
        {**inside, "Resource": "arn:aws:s3:::shared-data/*"},
        {**secret, "Resource": "arn:aws:s3:::shared-data/secret/*"},
    ]
    s3.put_bucket_policy(Bucket="shared-data", Policy=json.dumps({"Statement": statements}))
    client = clients("s3")

    client.put_object(Bucket="shared-data", Key="a", Body=b"1")

    assert client.get_object(Bucket="shared-data", Key="a")["Body"].read() == b"1"
    assert (
        "explicit deny in a resource-based policy"
        in (denial(client.put_object, Bucket="shared-data", Key="secret/a", Body=b"1")[1])
    )
    assert denial(s3.get_object, Bucket="shared-data", Key="secret/a")[0] == "AccessDenied"


def test_a_condition_narrows(user: MakeUser) -> None:
    elsewhere = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}

    client = user(allow("sqs:*", Condition=elsewhere))("sqs")

    assert denial(client.list_queues)[0] == "AccessDeniedException"


def test_a_boundary_narrows_a_role(world: OpenTrail) -> None:
    iam = world.client("iam")
    queues_only = json.dumps({"Version": "2012-10-17", "Statement": [allow("sqs:*")]})
    boundary = iam.create_policy(PolicyName="queues-only", PolicyDocument=queues_only)["Policy"]["Arn"]
    root = {"AWS": "arn:aws:iam::123456789012:root"}
    trust = {"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(
        RoleName="bounded", AssumeRolePolicyDocument=document, PermissionsBoundary=boundary
    )["Role"]["Arn"]
    iam.attach_role_policy(RoleName="bounded", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    session = world.client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]

    world.client("sqs", credentials=session).list_queues()

    bounded = world.client("iam", credentials=session)
    assert "no permissions boundary allows" in denial(bounded.list_users)[1]


def test_an_encrypted_bucket_needs_its_key_too(user: MakeUser, world: OpenTrail) -> None:
    key = world.client("kms").create_key()["KeyMetadata"]["Arn"]
    s3 = world.client("s3")
    s3.create_bucket(Bucket="sealed-data")
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket="sealed-data", ServerSideEncryptionConfiguration={"Rules": [default]})
    objects = allow("s3:PutObject", "s3:GetObject", on="arn:aws:s3:::sealed-data/*")
    through_s3 = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    writer = user(objects, allow("kms:GenerateDataKey", on=key, Condition=through_s3))("s3")

    writer.put_object(Bucket="sealed-data", Key="a", Body=b"1")

    assert "kms:Decrypt" in denial(writer.get_object, Bucket="sealed-data", Key="a")[1]
    without = user(objects)("s3")
    assert "kms:GenerateDataKey" in denial(without.put_object, Bucket="sealed-data", Key="b", Body=b"1")[1]


def test_a_role_is_taken_on_only_by_whom_it_trusts(user: MakeUser, world: OpenTrail) -> None:
    clients = user(allow("sts:AssumeRole"))
    me = clients("sts").get_caller_identity()["Arn"]
    iam = world.client("iam")
    roles = {}
    for name, principal in (("mine", me), ("theirs", "arn:aws:iam::123456789012:user/other")):
        trust = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        made = iam.create_role(RoleName=f"trusting-{name}", AssumeRolePolicyDocument=document)
        roles[name] = made["Role"]["Arn"]

    clients("sts").assume_role(RoleArn=roles["mine"], RoleSessionName="me")

    code, _ = denial(clients("sts").assume_role, RoleArn=roles["theirs"], RoleSessionName="me")
    assert code == "AccessDenied"


def test_passing_on_a_role_is_a_permission(user: MakeUser) -> None:
    clients = user(allow("cloudformation:*", "sqs:*"))
    role = "arn:aws:iam::123456789012:role/powerful"
    body = json.dumps({"Resources": {"It": {"Type": "AWS::SQS::Queue"}}})

    call = clients("cloudformation").create_stack
    assert "iam:PassRole" in denial(call, StackName="x", TemplateBody=body, RoleARN=role)[1]


def test_a_stack_makes_only_what_its_caller_may(user: MakeUser, world: OpenTrail) -> None:
    body = json.dumps({"Resources": {"It": {"Type": "AWS::SQS::Queue"}}})
    client = user(allow("cloudformation:*"))("cloudformation")

    client.create_stack(StackName="denied", TemplateBody=body)

    (stack,) = client.describe_stacks(StackName="denied")["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    events = client.describe_stack_events(StackName="denied")["StackEvents"]
    reasons = " ".join(event.get("ResourceStatusReason", "") for event in events)
    assert "is not authorized to perform: sqs:createqueue" in reasons.lower()
