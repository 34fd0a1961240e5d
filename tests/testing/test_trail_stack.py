"""A trail in a CloudFormation template, as CDK's construct ``Trail`` writes it, is a trail of OpenTrail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from opentrail.testing.world import OpenTrail

ARN = "arn:aws:cloudtrail:us-east-1:123456789012:trail/stacked"
SERVICE = {"Service": "cloudtrail.amazonaws.com"}
BUCKET_ARN = {"Fn::GetAtt": ["Logs", "Arn"]}


def template(**properties: Any) -> str:
    """A bucket, its policy and a trail with ``properties``."""
    policy = [
        {"Effect": "Allow", "Principal": SERVICE, "Action": "s3:GetBucketAcl", "Resource": BUCKET_ARN},
        {
            "Effect": "Allow",
            "Principal": SERVICE,
            "Action": "s3:PutObject",
            "Resource": {"Fn::Join": ["", [BUCKET_ARN, "/AWSLogs/123456789012/*"]]},
            "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
        },
    ]
    trail = {"IsLogging": True, "S3BucketName": {"Ref": "Logs"}, "TrailName": "stacked", "EventSelectors": []}
    resources: dict[str, Any] = {
        "Logs": {"Type": "AWS::S3::Bucket"},
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Logs"}, "PolicyDocument": {"Statement": policy}},
        },
        "Trail": {
            "Type": "AWS::CloudTrail::Trail",
            "DependsOn": "Policy",
            "Properties": trail | properties,
        },
    }
    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["Trail", "Arn"]}}, "Name": {"Value": {"Ref": "Trail"}}}
    return json.dumps({"Resources": resources, "Outputs": outputs})


def test_a_stack_makes_changes_and_deletes_a_trail(opentrail: OpenTrail) -> None:
    stacks, trails = opentrail.client("cloudformation"), opentrail.client("cloudtrail")
    whole = [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]
    first = template(
        EventSelectors=whole,
        IsMultiRegionTrail=True,
        EnableLogFileValidation=True,
        InsightSelectors=[{"InsightType": "ApiCallRateInsight"}],
        Tags=[{"Key": "team", "Value": "a"}],
    )

    stacks.create_stack(StackName="audit", TemplateBody=first)

    outputs = stacks.describe_stacks(StackName="audit")["Stacks"][0]["Outputs"]
    assert {o["OutputKey"]: o["OutputValue"] for o in outputs} == {"Arn": ARN, "Name": "stacked"}
    trail = trails.get_trail(Name="stacked")["Trail"]
    assert (trail["IsMultiRegionTrail"], trail["LogFileValidationEnabled"]) == (True, True)
    assert (trail["HasCustomEventSelectors"], trail["HasInsightSelectors"]) == (True, True)
    assert trails.get_trail_status(Name="stacked")["IsLogging"] is True
    assert trails.list_tags(ResourceIdList=[ARN])["ResourceTagList"][0]["TagsList"] == [
        {"Key": "team", "Value": "a"}
    ]

    stacks.update_stack(StackName="audit", TemplateBody=template(IsLogging=False))

    trail = trails.get_trail(Name="stacked")["Trail"]
    assert (trail["IsMultiRegionTrail"], trail["LogFileValidationEnabled"]) == (False, False)
    assert (trail["HasCustomEventSelectors"], trail["HasInsightSelectors"]) == (False, False)
    assert trails.get_trail_status(Name="stacked")["IsLogging"] is False
    assert trails.list_tags(ResourceIdList=[ARN])["ResourceTagList"][0]["TagsList"] == []

    stacks.delete_stack(StackName="audit")

    assert trails.describe_trails()["trailList"] == []


def test_what_cloudtrail_refuses_fails_the_stack(opentrail: OpenTrail) -> None:
    stacks = opentrail.client("cloudformation")

    stacks.create_stack(StackName="audit", TemplateBody=template(S3KeyPrefix="elsewhere"))

    events = stacks.describe_stack_events(StackName="audit")["StackEvents"]
    reasons = [e.get("ResourceStatusReason", "") for e in events if e["ResourceType"].endswith("::Trail")]
    assert any("Incorrect S3 bucket policy is detected for bucket" in reason for reason in reasons)
    with pytest.raises(ClientError, match="TrailNotFoundException"):
        opentrail.client("cloudtrail").get_trail(Name="stacked")
