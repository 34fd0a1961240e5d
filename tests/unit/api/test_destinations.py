"""Where a trail may deliver: bucket, topic, key and log group, refused as CloudTrail refuses them."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.model.resource import Bucket, Topic
from tests.unit.api.fakes import (
    ABROAD,
    ACCOUNT,
    CLOUDTRAIL,
    GROUP_ARN,
    HOME,
    KEY_ARN,
    ROLE_ARN,
    TOPIC_ARN,
    World,
    bucket_policy,
    key_policy,
    make_key,
    make_role,
    statements,
)

ARN = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/audit"
BAD_POLICY = (
    "InsufficientS3BucketPolicyException",
    "Incorrect S3 bucket policy is detected for bucket: logs",
)
BAD_TOPIC = (
    "InsufficientSnsTopicPolicyException",
    "SNS Topic does not exist or the topic policy is incorrect!",
)
BAD_KEY = (
    "InsufficientEncryptionPolicyException",
    f"Insufficient permissions to access S3 bucket logs or KMS key {KEY_ARN}.",
)


def refusal(world: World, **members: Any) -> tuple[str, str]:
    return world.refusal("CreateTrail", **({"Name": "audit", "S3BucketName": "logs"} | members))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ab",
        "Logs",
        "lo..gs",
        "-logs",
        "logs-",
        "a" * 64,
        "10.0.0.1",
        "xn--abc",
        "sthree-x",
        "abc--x-s3",
        "abc-s3alias",
        "lo/gs",
        "lo gs",
    ],
)
def test_an_impossible_bucket_name(name: str) -> None:
    assert refusal(World(), S3BucketName=name)[0] == "InvalidS3BucketNameException"


def test_a_bucket_that_is_not_there() -> None:
    expected = ("S3BucketDoesNotExistException", "S3 bucket nothing does not exist!")

    assert refusal(World(), S3BucketName="nothing") == expected


def test_a_prefix_has_at_most_200_characters() -> None:
    world = World()
    world.buckets["logs"] = Bucket(region=HOME, policy=bucket_policy(prefix="p" * 200))

    assert world.create(S3KeyPrefix="p" * 200)["S3KeyPrefix"] == "p" * 200
    assert refusal(world, Name="other", S3KeyPrefix="p" * 201)[0] == "InvalidS3PrefixException"


@pytest.mark.parametrize(
    "bucket",
    [
        Bucket(region=HOME, policy=None),
        Bucket(region=HOME, policy={}),
        Bucket(region=HOME, policy=bucket_policy(), requester_pays=True),
        Bucket(region=HOME, policy=bucket_policy(prefix="other")),
        Bucket(region=HOME, policy=bucket_policy(owner="999999999999")),
        Bucket(region=HOME, policy={"Statement": bucket_policy()["Statement"][:1]}),
        Bucket(region=HOME, policy={"Statement": bucket_policy()["Statement"][1:]}),
    ],
)
def test_a_bucket_cloudtrail_may_not_write(bucket: Bucket) -> None:
    world = World()
    world.buckets["logs"] = bucket

    assert refusal(world) == BAD_POLICY


@pytest.mark.parametrize(
    ("condition", "accepted"),
    [
        ({"StringEquals": {"aws:SourceArn": ARN}}, True),
        ({"StringEquals": {"aws:SourceArn": [ARN.replace("audit", "other"), ARN]}}, True),
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"}}, True),
        ({"StringEquals": {"aws:SourceArn": ARN.replace("audit", "other")}}, False),
        ({"StringEquals": {"aws:SourceAccount": ACCOUNT}}, True),
        ({"StringEquals": {"aws:SourceAccount": "999999999999"}}, False),
        ({"StringEquals": {"s3:x-amz-acl": "private"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
    ],
)
def test_the_conditions_of_the_bucket_policy_count(condition: dict[str, Any], accepted: bool) -> None:
    world = World()
    policy = bucket_policy()
    statements(policy)[1]["Condition"] = condition
    world.buckets["logs"] = Bucket(region=HOME, policy=policy)

    reply = world.ask("CreateTrail", Name="audit", S3BucketName="logs")

    assert (reply.status == 200) is accepted


def test_a_deny_for_plain_http_does_not_concern_cloudtrail() -> None:
    world = World()
    policy = bucket_policy()
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": insecure}
    statements(policy).append(deny)
    world.buckets["logs"] = Bucket(region=HOME, policy=policy)

    assert world.create()["Name"] == "audit"


def test_a_policy_that_asks_for_kms_needs_a_trail_with_a_key() -> None:
    world = World()
    policy = bucket_policy()
    unencrypted = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": "*",
        "Condition": unencrypted,
    }
    statements(policy).append(deny)
    world.buckets["logs"] = Bucket(region=HOME, policy=policy)

    assert refusal(world) == BAD_POLICY
    assert world.create(KmsKeyId=KEY_ARN)["KmsKeyId"] == KEY_ARN


@pytest.mark.parametrize("name", ["no spaces", "a" * 257, "arn:aws:sns:us-east-1:1:news", "a/b"])
def test_an_impossible_topic_name(name: str) -> None:
    assert refusal(World(), SnsTopicName=name)[0] == "InvalidSnsTopicNameException"


def test_a_topic_of_another_region_is_shown_by_its_arn() -> None:
    world = World()
    abroad = TOPIC_ARN.replace(HOME, ABROAD)
    allow = {"Effect": "Allow", "Principal": CLOUDTRAIL, "Action": "sns:Publish", "Resource": abroad}
    world.topics[abroad] = Topic(policy={"Statement": allow})

    created = world.create(SnsTopicName=abroad)

    assert (created["SnsTopicName"], created["SnsTopicARN"]) == (abroad, abroad)


@pytest.mark.parametrize(
    "policy", [None, {}, {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "1"}}]}]
)
def test_a_topic_that_is_missing_or_closed(policy: dict[str, Any] | None) -> None:
    world = World()
    world.topics = {} if policy is None else {TOPIC_ARN: Topic(policy=policy)}

    assert refusal(world, SnsTopicName="news") == BAD_TOPIC


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (make_key(policy=key_policy("kms:GenerateDataKey*", "kms:Decrypt")), ""),
        (make_key(), "InsufficientEncryptionPolicyException"),
        (None, "KmsKeyNotFoundException"),
    ],
)
def test_an_encrypted_topic_needs_its_key(key: Any, code: str) -> None:
    world = World()
    world.topics[TOPIC_ARN] = Topic(policy=world.topics[TOPIC_ARN].policy, key_id="topic-key")
    world.keys = {"topic-key": key} if key else {}

    if code:
        assert refusal(world, SnsTopicName="news")[0] == code
    else:
        assert world.create(SnsTopicName="news")["SnsTopicName"] == "news"


@pytest.mark.parametrize(
    "key_id", ["nonsense", "alias/", "arn:aws:kms:us-east-1:1:key/x", "key/x y", "a" * 400]
)
def test_an_impossible_key_id(key_id: str) -> None:
    assert refusal(World(), KmsKeyId=key_id)[0] == "InvalidKmsKeyIdException"


@pytest.mark.parametrize(
    "key_id", ["alias/none", KEY_ARN.replace("1111", "2222"), "11111111-2222-3333-4444-555555555555"]
)
def test_a_key_that_is_not_there(key_id: str) -> None:
    assert refusal(World(), KmsKeyId=key_id)[0] == "KmsKeyNotFoundException"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"region": ABROAD}, "KmsKeyNotFoundException"),
        ({"symmetric": False}, "InvalidKmsKeyIdException"),
        ({"enabled": False}, "KmsException"),
        ({"policy": {}}, "InsufficientEncryptionPolicyException"),
    ],
)
def test_a_key_that_cannot_encrypt_the_log_files(changes: dict[str, Any], code: str) -> None:
    world = World()
    world.keys[KEY_ARN] = make_key(**changes)

    assert refusal(world, KmsKeyId=KEY_ARN)[0] == code


def test_the_key_policy_has_to_allow_data_keys_and_describing() -> None:
    world = World()
    for action in ("kms:GenerateDataKey*", "kms:DescribeKey"):
        world.keys[KEY_ARN] = make_key(policy=key_policy(action))
        assert refusal(world, KmsKeyId=KEY_ARN) == BAD_KEY


def test_the_key_policy_may_be_bound_to_other_trails() -> None:
    world = World()
    policy = key_policy()
    statements(policy)[0]["Condition"] = {"StringEquals": {"aws:SourceArn": ARN.replace("audit", "other")}}
    world.keys[KEY_ARN] = make_key(policy=policy)

    assert refusal(world, KmsKeyId=KEY_ARN) == BAD_KEY


def test_a_bucket_key_needs_decrypt_too() -> None:
    world = World()
    world.buckets["logs"] = Bucket(region=HOME, policy=bucket_policy(), uses_bucket_key=True)
    assert refusal(world, KmsKeyId=KEY_ARN) == BAD_KEY

    world.keys[KEY_ARN] = make_key(policy=key_policy("kms:GenerateDataKey", "kms:DescribeKey", "kms:Decrypt"))

    assert world.create(KmsKeyId=KEY_ARN)["KmsKeyId"] == KEY_ARN


BAD_ROLE = "InvalidCloudWatchLogsRoleArnException"
BAD_GROUP = "InvalidCloudWatchLogsLogGroupArnException"


@pytest.mark.parametrize(
    ("group", "role", "expected"),
    [
        (GROUP_ARN, None, (BAD_ROLE, "You must specify a role ARN as well as a log group.")),
        (None, ROLE_ARN, (BAD_GROUP, "You must specify a log group as well as a role ARN.")),
        (GROUP_ARN, "", (BAD_ROLE, "You must specify a role ARN as well as a log group.")),
        ("", ROLE_ARN, (BAD_GROUP, "You must specify a log group as well as a role ARN.")),
        (
            GROUP_ARN.removesuffix(":*"),
            ROLE_ARN,
            (BAD_GROUP, "CloudTrail cannot validate the specified log group ARN."),
        ),
        ("nonsense", ROLE_ARN, (BAD_GROUP, "CloudTrail cannot validate the specified log group ARN.")),
        (
            GROUP_ARN.replace("trail", "none"),
            ROLE_ARN,
            (BAD_GROUP, "Check the log group ARN: CloudTrail can't validate it."),
        ),
        (
            GROUP_ARN.replace(HOME, ABROAD),
            ROLE_ARN,
            (BAD_GROUP, "Check the log group ARN: CloudTrail can't validate it."),
        ),
        (GROUP_ARN, "nonsense", (BAD_ROLE, "The role ARN is not valid.")),
        (
            GROUP_ARN,
            ROLE_ARN + "2",
            (BAD_ROLE, "Access denied. Check the trust relationships for your role."),
        ),
    ],
)
def test_log_group_and_role_are_checked(
    group: str | None, role: str | None, expected: tuple[str, str]
) -> None:
    members = {"CloudWatchLogsLogGroupArn": group, "CloudWatchLogsRoleArn": role}

    assert refusal(World(), **members) == expected


def test_a_role_that_does_not_trust_cloudtrail() -> None:
    world = World()
    world.roles[ROLE_ARN] = make_role(trust={"Statement": []})
    members = {"CloudWatchLogsLogGroupArn": GROUP_ARN, "CloudWatchLogsRoleArn": ROLE_ARN}

    text = "Access denied. Check the trust relationships for your role."
    assert refusal(world, **members) == (BAD_ROLE, text)


@pytest.mark.parametrize("actions", [["logs:CreateLogStream"], ["logs:PutLogEvents"], []])
def test_a_role_that_may_not_write(actions: list[str]) -> None:
    world = World()
    world.roles[ROLE_ARN] = make_role(
        policies=[{"Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}}]
    )
    members = {"CloudWatchLogsLogGroupArn": GROUP_ARN, "CloudWatchLogsRoleArn": ROLE_ARN}

    text = "Access denied. Verify in IAM that the role has adequate permissions."
    assert refusal(world, **members) == (BAD_GROUP, text)


def test_an_update_of_something_else_does_not_look_at_the_bucket() -> None:
    world = World()
    world.create()
    world.buckets.clear()

    assert world.call("UpdateTrail", Name="audit", RecursiveLogging=False)["RecursiveLogging"] is False
    assert world.refusal("UpdateTrail", Name="audit", S3KeyPrefix="x")[0] == "S3BucketDoesNotExistException"


def test_a_new_bucket_has_to_suit_the_key_that_stays() -> None:
    world = World()
    world.create(KmsKeyId=KEY_ARN)
    world.buckets["far"] = Bucket(region=ABROAD, policy=bucket_policy("far"))

    assert world.refusal("UpdateTrail", Name="audit", S3BucketName="far")[0] == "KmsKeyNotFoundException"
    assert world.call("UpdateTrail", Name="audit", S3BucketName="far", KmsKeyId="")["S3BucketName"] == "far"
