"""Buckets and bucket policies: what the template asks for is what S3 shows."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from opentrail.errors import DeployError
from tests.adapters.deployer.conftest import ACCOUNT, REGION, Deployer, requests_of, resource

BUCKET = "AWS::S3::Bucket"
HARDENED: dict[str, Any] = {
    "BucketName": "audit-logs",
    "VersioningConfiguration": {"Status": "Enabled"},
    "PublicAccessBlockConfiguration": {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": "true",
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    },
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [
            {
                "BucketKeyEnabled": True,
                "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/audit"},
            }
        ]
    },
    "ObjectLockEnabled": True,
    "ObjectLockConfiguration": {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": "1"}},
    },
    "LifecycleConfiguration": {
        "Rules": [
            {
                "Id": "history",
                "Status": "Enabled",
                "Prefix": "history/",
                "ExpirationInDays": 90,
                "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
                "Transitions": [{"StorageClass": "GLACIER_IR", "TransitionInDays": 30}],
            }
        ]
    },
    "Tags": [{"Key": "team", "Value": "audit"}],
}


def test_every_configuration_arrives(deployer: Deployer) -> None:
    bucket = deployer.one(BUCKET, **HARDENED)

    s3 = deployer.clients("s3")
    assert bucket == "audit-logs"
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    ownership = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
    assert ownership["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["BucketKeyEnabled"] is True
    assert encryption["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": "alias/audit",
    }
    lock = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    retention = lock["Rule"]["DefaultRetention"]
    assert (retention["Mode"], retention["Days"]) == ("GOVERNANCE", 1)
    rule = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]
    assert rule["Filter"] == {"Prefix": "history/"}
    assert rule["Expiration"] == {"Days": 90}
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    assert rule["Transitions"] == [{"Days": 30, "StorageClass": "GLACIER_IR"}]
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "team", "Value": "audit"}]


def test_attributes(deployer: Deployer) -> None:
    names = ("Arn", "DomainName", "RegionalDomainName")

    state = deployer.deploy(
        {"It": resource(BUCKET, BucketName="named")},
        Outputs={name: {"Value": {"Fn::GetAtt": ["It", name]}} for name in names},
    )

    assert state.outputs == {
        "Arn": "arn:aws:s3:::named",
        "DomainName": "named.s3.amazonaws.com",
        "RegionalDomainName": "named.s3.us-east-1.amazonaws.com",
    }


def test_removed_configurations_go_and_the_bucket_stays(deployer: Deployer) -> None:
    bucket = deployer.one(BUCKET, **HARDENED)
    deployer.clients("s3").put_object(Bucket=bucket, Key="kept", Body=b"")
    kept = ("BucketName", "ObjectLockEnabled", "ObjectLockConfiguration", "VersioningConfiguration")

    deployer.one(BUCKET, **{name: HARDENED[name] for name in kept})

    s3 = deployer.clients("s3")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    for call, code in (
        (s3.get_public_access_block, "NoSuchPublicAccessBlockConfiguration"),
        (s3.get_bucket_ownership_controls, "OwnershipControlsNotFoundError"),
        (s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration"),
        (s3.get_bucket_tagging, "NoSuchTagSet"),
    ):
        with pytest.raises(ClientError, match=code):
            call(Bucket=bucket)


def test_versioning_is_suspended_when_no_longer_asked_for(deployer: Deployer) -> None:
    bucket = deployer.one(BUCKET, VersioningConfiguration={"Status": "Enabled"})

    deployer.one(BUCKET)

    assert deployer.clients("s3").get_bucket_versioning(Bucket=bucket)["Status"] == "Suspended"


def test_new_name_is_a_new_bucket(deployer: Deployer) -> None:
    deployer.one(BUCKET, BucketName="first-name")

    deployer.one(BUCKET, BucketName="second-name")

    buckets = deployer.clients("s3").list_buckets()["Buckets"]
    assert [bucket["Name"] for bucket in buckets] == ["second-name"]


def test_bucket_that_exists_is_not_shared(deployer: Deployer) -> None:
    deployer.clients("s3").create_bucket(Bucket="taken")

    with pytest.raises(DeployError, match="bucket taken already exists"):
        deployer.one(BUCKET, BucketName="taken")

    assert deployer.clients("s3").list_buckets()["Buckets"][0]["Name"] == "taken"


def test_access_log_target_with_an_acl(deployer: Deployer) -> None:
    target = resource(
        BUCKET,
        BucketName="access-logs",
        AccessControl="LogDeliveryWrite",
        OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]},
    )
    logging = {"DestinationBucketName": {"Ref": "Target"}, "LogFilePrefix": "s3/"}

    deployer.deploy(
        {"Target": target, "It": resource(BUCKET, BucketName="logged", LoggingConfiguration=logging)}
    )

    found = deployer.clients("s3").get_bucket_logging(Bucket="logged")["LoggingEnabled"]
    assert (found["TargetBucket"], found["TargetPrefix"]) == ("access-logs", "s3/")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"ExpirationInDays": 1}, {"Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}),
        (
            {"TagFilters": [{"Key": "k", "Value": "v"}], "ExpirationInDays": "3"},
            {"Filter": {"Tag": {"Key": "k", "Value": "v"}}, "Expiration": {"Days": 3}},
        ),
        (
            {"Prefix": "p/", "TagFilters": [{"Key": "k", "Value": "v"}], "ExpirationInDays": 3},
            {
                "Filter": {"And": {"Prefix": "p/", "Tags": [{"Key": "k", "Value": "v"}]}},
                "Expiration": {"Days": 3},
            },
        ),
        (
            {"NoncurrentVersionExpirationInDays": 5},
            {"Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": {"NoncurrentDays": 5}},
        ),
        (
            {"NoncurrentVersionTransitions": [{"StorageClass": "GLACIER", "TransitionInDays": 9}]},
            {
                "Filter": {"Prefix": ""},
                "NoncurrentVersionTransitions": [{"StorageClass": "GLACIER", "NoncurrentDays": 9}],
            },
        ),
    ],
)
def test_lifecycle_rule(deployer: Deployer, rule: dict[str, Any], expected: dict[str, Any]) -> None:
    rules = [{"Id": "r", "Status": "Enabled", **rule}]

    bucket = deployer.one(BUCKET, LifecycleConfiguration={"Rules": rules})

    found = deployer.clients("s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert found == [{"ID": "r", "Status": "Enabled", **expected}]


def test_notifications(deployer: Deployer) -> None:
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:new-logs"
    chosen = {"S3Key": {"Rules": [{"Name": "prefix", "Value": "AWSLogs/"}]}}
    configuration = {
        "QueueConfigurations": [{"Event": "s3:ObjectCreated:*", "Queue": arn, "Filter": chosen}],
        "EventBridgeConfiguration": {"EventBridgeEnabled": True},
    }
    queue = resource("AWS::SQS::Queue", QueueName="new-logs")
    bucket = resource(BUCKET, BucketName="watched", NotificationConfiguration=configuration)

    with requests_of("s3", "PutBucketNotificationConfiguration") as requests:
        deployer.deploy({"Queue": queue, "It": {**bucket, "DependsOn": "Queue"}})

    assert requests[0]["NotificationConfiguration"]["EventBridgeConfiguration"] == {}
    found = deployer.clients("s3").get_bucket_notification_configuration(Bucket="watched")
    assert found["QueueConfigurations"][0]["QueueArn"] == arn
    assert found["QueueConfigurations"][0]["Filter"]["Key"]["FilterRules"][0]["Value"] == "AWSLogs/"


@pytest.mark.parametrize(
    ("properties", "path"),
    [
        ({"WebsiteConfiguration": {}}, "WebsiteConfiguration"),
        (
            {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Oops": 1}]}},
            r"LifecycleConfiguration\.Rules\[0\]\.Oops",
        ),
        ({"VersioningConfiguration": {"Oops": 1}}, r"VersioningConfiguration\.Oops"),
        ({"BucketEncryption": {"Oops": []}}, r"BucketEncryption\.Oops"),
        ({"LoggingConfiguration": {"DestinationBucketName": "b", "Oops": 1}}, r"LoggingConfiguration\.Oops"),
        ({"NotificationConfiguration": {"Oops": []}}, r"NotificationConfiguration\.Oops"),
    ],
)
def test_property_nobody_honours(deployer: Deployer, properties: dict[str, Any], path: str) -> None:
    with pytest.raises(DeployError, match=rf"It \(AWS::S3::Bucket\): property {path} is not supported"):
        deployer.one(BUCKET, **properties)

    assert deployer.clients("s3").list_buckets()["Buckets"] == []


def test_bucket_policy_is_written_changed_and_taken_off(deployer: Deployer) -> None:
    def resources(action: str) -> dict[str, Any]:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": action,
            "Resource": {"Fn::GetAtt": ["Bucket", "Arn"]},
        }
        document = {"Version": "2012-10-17", "Statement": [statement]}
        policy = resource("AWS::S3::BucketPolicy", Bucket={"Ref": "Bucket"}, PolicyDocument=document)
        return {"Bucket": resource(BUCKET, BucketName="audit-logs"), "Policy": policy}

    def action() -> str:
        policy = json.loads(deployer.clients("s3").get_bucket_policy(Bucket="audit-logs")["Policy"])
        assert policy["Statement"][0]["Resource"] == "arn:aws:s3:::audit-logs"
        return str(policy["Statement"][0]["Action"])

    deployer.deploy(resources("s3:GetBucketAcl"))
    assert action() == "s3:GetBucketAcl"
    deployer.deploy(resources("s3:PutObject"))
    assert action() == "s3:PutObject"
    deployer.deploy({"Bucket": resource(BUCKET, BucketName="audit-logs")})
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        deployer.clients("s3").get_bucket_policy(Bucket="audit-logs")


def test_acl_and_lock_change_in_place(deployer: Deployer) -> None:
    ownership = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    versioned = {"VersioningConfiguration": {"Status": "Enabled"}, "OwnershipControls": ownership}
    bucket = deployer.one(BUCKET, **versioned, AccessControl="LogDeliveryWrite")
    s3 = deployer.clients("s3")
    assert "LogDelivery" in str(s3.get_bucket_acl(Bucket=bucket)["Grants"])

    deployer.one(BUCKET, **versioned, ObjectLockEnabled=True)

    assert "LogDelivery" not in str(s3.get_bucket_acl(Bucket=bucket)["Grants"])
    lock = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    assert lock["ObjectLockEnabled"] == "Enabled"


def test_unknown_acl_is_refused(deployer: Deployer) -> None:
    with pytest.raises(DeployError, match="property AccessControl: Everybody is not supported"):
        deployer.one(BUCKET, AccessControl="Everybody")


def test_log_target_is_required(deployer: Deployer) -> None:
    with pytest.raises(DeployError, match="property LoggingConfiguration.DestinationBucketName is required"):
        deployer.one(BUCKET, LoggingConfiguration={"LogFilePrefix": "x"})


def test_cors(deployer: Deployer) -> None:
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposedHeaders": ["ETag"], "MaxAge": "60"}

    bucket = deployer.one(BUCKET, CorsConfiguration={"CorsRules": [rule]})

    (found,) = deployer.clients("s3").get_bucket_cors(Bucket=bucket)["CORSRules"]
    assert (found["ExposeHeaders"], found["MaxAgeSeconds"]) == (["ETag"], 60)


def test_bucket_of_another_region() -> None:
    with mock_aws():
        session = boto3.Session()

        def clients(service: str) -> Any:
            return session.client(service, region_name="eu-west-1")  # type: ignore[call-overload]

        bucket = Deployer(clients, region="eu-west-1").one(BUCKET)

        location = clients("s3").get_bucket_location(Bucket=bucket)["LocationConstraint"]
        assert location == "eu-west-1"
