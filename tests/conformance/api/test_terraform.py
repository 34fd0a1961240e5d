"""The calls of Terraform's aws_cloudtrail, in its order and with its empty strings.

Its Go client checks nothing before it sends, so botocore's checks are off here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conformance.api.conftest import ACCOUNT, REGION, Laptop

MakeBucket = Callable[..., str]
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"


@pytest.fixture
def terraform(laptop: Laptop) -> Any:
    session: Any = boto3.Session(ACCOUNT, "secret", region_name=REGION)
    return session.client(
        "cloudtrail", endpoint_url=laptop.endpoint, config=Config(parameter_validation=False)
    )


def read(client: Any) -> dict[str, Any]:
    """Terraform's read: what it would put into its state."""
    found = client.describe_trails(trailNameList=[ARN])["trailList"]
    assert len(found) == 1
    state: dict[str, Any] = {
        "trail": found[0],
        "logging": client.get_trail_status(Name=ARN)["IsLogging"],
        "tags": client.list_tags(ResourceIdList=[ARN])["ResourceTagList"][0]["TagsList"],
    }
    if found[0]["HasCustomEventSelectors"]:
        state["selectors"] = client.get_event_selectors(TrailName=ARN)
    if found[0]["HasInsightSelectors"]:
        state["insights"] = client.get_insight_selectors(TrailName=ARN)["InsightSelectors"]
    return state


def test_create_read_update_clear_delete(terraform: Any, laptop: Laptop, make_bucket: MakeBucket) -> None:
    key = make_key(laptop)
    topic = make_topic(laptop)
    terraform.create_trail(
        Name="audit",
        S3BucketName=make_bucket(prefix="p"),
        S3KeyPrefix="p",
        IncludeGlobalServiceEvents=True,
        IsMultiRegionTrail=False,
        IsOrganizationTrail=False,
        EnableLogFileValidation=False,
        KmsKeyId=key,
        SnsTopicName="news",
        TagsList=[{"Key": "team", "Value": "a"}],
    )
    terraform.start_logging(Name=ARN)
    selector = {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
    }
    terraform.put_event_selectors(TrailName=ARN, EventSelectors=[selector])
    terraform.put_insight_selectors(TrailName=ARN, InsightSelectors=[{"InsightType": "ApiCallRateInsight"}])

    state = read(terraform)

    assert state["logging"] is True
    assert state["tags"] == [{"Key": "team", "Value": "a"}]
    assert state["insights"] == [{"InsightType": "ApiCallRateInsight"}]
    assert state["selectors"]["EventSelectors"] == [{**selector, "ExcludeManagementEventSources": []}]
    assert (state["trail"]["KmsKeyId"], state["trail"]["SnsTopicARN"]) == (key, topic)

    terraform.update_trail(
        Name=ARN, KmsKeyId="", SnsTopicName="", CloudWatchLogsLogGroupArn="", CloudWatchLogsRoleArn=""
    )
    terraform.stop_logging(Name=ARN)
    default = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
    terraform.put_event_selectors(TrailName=ARN, EventSelectors=[default])
    terraform.put_insight_selectors(TrailName=ARN, InsightSelectors=[])
    terraform.remove_tags(ResourceId=ARN, TagsList=[{"Key": "team", "Value": "a"}])

    cleared = read(terraform)

    assert cleared.keys() == {"trail", "logging", "tags"}
    assert not cleared["trail"].keys() & {
        "KmsKeyId",
        "SnsTopicName",
        "SnsTopicARN",
        "CloudWatchLogsLogGroupArn",
    }
    assert (cleared["logging"], cleared["tags"]) == (False, [])

    terraform.delete_trail(Name=ARN)
    with pytest.raises(ClientError, match=r"\(TrailNotFoundException\)"):
        terraform.delete_trail(Name=ARN)
    assert terraform.describe_trails(trailNameList=[ARN])["trailList"] == []


def test_removing_the_advanced_block_brings_the_default_back(terraform: Any, make_bucket: MakeBucket) -> None:
    terraform.create_trail(Name="audit", S3BucketName=make_bucket())
    field = {"Field": "eventCategory", "Equals": ["Management"]}
    terraform.put_event_selectors(
        TrailName=ARN, AdvancedEventSelectors=[{"Name": "m", "FieldSelectors": [field]}]
    )
    assert read(terraform)["selectors"]["AdvancedEventSelectors"] == [
        {"Name": "m", "FieldSelectors": [field]}
    ]

    terraform.put_event_selectors(TrailName=ARN, AdvancedEventSelectors=[])

    assert "selectors" not in read(terraform)


def test_a_role_iam_has_not_caught_up_with_is_worth_a_retry(
    terraform: Any, laptop: Laptop, make_bucket: MakeBucket
) -> None:
    laptop.clients("logs").create_log_group(logGroupName="trail")
    members = {
        "Name": "audit",
        "S3BucketName": make_bucket(),
        "CloudWatchLogsLogGroupArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:trail:*",
        "CloudWatchLogsRoleArn": f"arn:aws:iam::{ACCOUNT}:role/trail",
    }
    with pytest.raises(ClientError, match="Access denied\\."):
        terraform.create_trail(**members)

    make_role(laptop)

    assert terraform.create_trail(**members)["CloudWatchLogsRoleArn"] == members["CloudWatchLogsRoleArn"]


def make_key(laptop: Laptop) -> str:
    principal = {"Service": "cloudtrail.amazonaws.com"}
    context = {"kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"}
    statements: list[dict[str, Any]] = [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Principal": principal,
            "Action": "kms:GenerateDataKey*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceArn": ARN}, "StringLike": context},
        },
        {"Effect": "Allow", "Principal": principal, "Action": "kms:DescribeKey", "Resource": "*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    arn: str = laptop.clients("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
    return arn


def make_topic(laptop: Laptop) -> str:
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "SNS:Publish",
        "Resource": f"arn:aws:sns:{REGION}:{ACCOUNT}:news",
        "Condition": {"StringEquals": {"aws:SourceArn": ARN}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    arn: str = laptop.clients("sns").create_topic(Name="news", Attributes={"Policy": policy})["TopicArn"]
    return arn


def make_role(laptop: Laptop) -> None:
    iam = laptop.clients("iam")
    principal = {"Service": "cloudtrail.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="trail", AssumeRolePolicyDocument=document)
    stream = f"log-group:trail:log-stream:{ACCOUNT}_CloudTrail_{REGION}*"
    allow = {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"arn:aws:logs:{REGION}:{ACCOUNT}:{stream}",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName="trail", PolicyName="write", PolicyDocument=document)
