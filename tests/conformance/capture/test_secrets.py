"""What a record must not tell: secrets, and the contents of objects, messages and items."""

from __future__ import annotations

import json

from tests.conformance.capture.oracle import Laptop, last
from tests.conformance.capture.settings import ACCOUNT, TRUST
from tests.conformance.capture.transport import ENDPOINT, session_for


def test_objects_and_messages_and_items_are_data_events_without_their_contents(laptop: Laptop) -> None:
    queue = laptop.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    laptop.client("s3").create_bucket(Bucket="data-plane")
    laptop.client("dynamodb").create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    topic = laptop.client("sns").create_topic(Name="t")["TopicArn"]
    before = len(laptop.captured)

    laptop.client("s3").put_object(Bucket="data-plane", Key="k", Body=b"contents-1")
    laptop.client("sqs").send_message(QueueUrl=queue, MessageBody="contents-1")
    laptop.client("dynamodb").put_item(TableName="t", Item={"id": {"S": "1"}, "v": {"S": "contents-1"}})
    laptop.client("sns").publish(TopicArn=topic, Message="contents-1")

    made = laptop.captured[before:]
    assert [captured.category for captured in made] == ["Data"] * 4
    assert [json.loads(captured.detail)["managementEvent"] for captured in made] == [False] * 4
    assert not any(b"contents-1" in captured.detail for captured in made)


def test_secrets_of_callers_are_in_no_record(laptop: Laptop) -> None:
    iam, sts = laptop.client("iam"), laptop.client("sts")
    iam.create_user(UserName="alice")
    secrets = [iam.create_access_key(UserName="alice")["AccessKey"]["SecretAccessKey"], "Passw0rd-of-alice"]
    iam.create_login_profile(UserName="alice", Password=secrets[1])
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    issued = sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/r", RoleSessionName="s")["Credentials"]
    laptop.client("secretsmanager").create_secret(Name="s", SecretString="the-secret-itself")
    laptop.client("ssm").put_parameter(Name="p", Value="the-secret-itself", Type="SecureString")
    token = issued["SessionToken"]
    before = len(laptop.captured)
    session_for(laptop.gateway, access_key=issued["AccessKeyId"], token=token).client(
        "s3", endpoint_url=ENDPOINT
    ).list_buckets()

    text = b"".join(captured.detail for captured in laptop.captured)
    for secret in (*secrets, issued["SecretAccessKey"], "the-secret-itself"):
        assert secret.encode() not in text
    assert token.encode() not in laptop.captured[before].detail


def test_item_operations_show_keys_and_attribute_names_but_no_values(laptop: Laptop) -> None:
    client = laptop.client("dynamodb")
    client.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    client.put_item(TableName="t", Item={"id": {"S": "1"}, "v": {"S": "contents-1"}})
    put = last(laptop)
    client.update_item(
        TableName="t",
        Key={"id": {"S": "1"}},
        UpdateExpression="SET v = :v",
        ExpressionAttributeValues={":v": {"S": "contents-2"}},
        ReturnValues="ALL_NEW",
    )
    update = last(laptop)

    assert put["requestParameters"] == {"tableName": "t", "key": {"id": "1"}, "item": ["id", "v"]}
    assert update["requestParameters"]["key"] == {"id": "1"}
    assert (put["responseElements"], update["responseElements"]) == (None, None)
    assert put["resources"][0]["type"] == "AWS::DynamoDB::Table"
    assert b"contents-" not in laptop.captured[-1].detail


def test_private_keys_and_user_data_are_removed_from_ec2_records(laptop: Laptop) -> None:
    ec2 = laptop.client("ec2")
    private = ec2.create_key_pair(KeyName="k")["KeyMaterial"]
    key_pair = last(laptop)
    ec2.create_launch_template(LaunchTemplateName="t", LaunchTemplateData={"UserData": "c2VjcmV0"})
    template = last(laptop)

    assert key_pair["responseElements"]["keyMaterial"] == "<sensitiveDataRemoved>"
    assert private.splitlines()[1] not in json.dumps(key_pair)
    data = template["requestParameters"]["CreateLaunchTemplateRequest"]["LaunchTemplateData"]
    assert data == {"UserData": "<sensitiveDataRemoved>"}
