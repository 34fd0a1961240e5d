"""What a deployment's outputs make of its first trail, and the calls that make it."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from opentrail.adapters.aws.first_trail import FirstTrail, make_first_trail
from opentrail.errors import StorageError

ARN = "arn:aws:cloudtrail:us-east-1:123456789012:trail/everything"
OUTPUTS = {
    "LogBucketName": "logs",
    "EncryptionKeyArn": "arn:aws:kms:us-east-1:123456789012:key/k",
    "TrailLogGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:OpenTrail/trail:*",
    "TrailLogRoleArn": "arn:aws:iam::123456789012:role/trail-logs",
    "DefaultTrail": json.dumps(
        {"Name": "everything", "DataTypes": ["AWS::S3::Object", "AWS::Lambda::Function"], "Insights": True}
    ),
}


def test_it_uses_what_the_deployment_has() -> None:
    assert FirstTrail.of(OUTPUTS).request == {
        "Name": "everything",
        "IsMultiRegionTrail": True,
        "IncludeGlobalServiceEvents": True,
        "EnableLogFileValidation": True,
        "S3BucketName": "logs",
        "KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/k",
        "CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:OpenTrail/trail:*",
        "CloudWatchLogsRoleArn": "arn:aws:iam::123456789012:role/trail-logs",
    }


def test_what_the_deployment_lacks_the_trail_lacks() -> None:
    bare = {name: OUTPUTS[name] for name in ("LogBucketName", "DefaultTrail")}

    assert set(FirstTrail.of(bare).request) == {
        *("Name", "IsMultiRegionTrail", "IncludeGlobalServiceEvents", "EnableLogFileValidation"),
        "S3BucketName",
    }


@pytest.mark.parametrize("missing", ["LogBucketName", "DefaultTrail"])
def test_an_older_deployment_is_told_to_deploy_again(missing: str) -> None:
    with pytest.raises(StorageError, match="deploy again"):
        FirstTrail.of({name: value for name, value in OUTPUTS.items() if name != missing})


def test_selectors_and_insights_are_set_before_it_starts() -> None:
    cloudtrail: Any = boto3.client("cloudtrail", region_name="us-east-1")
    wanted = FirstTrail.of(OUTPUTS)
    with Stubber(cloudtrail) as stub:
        stub.add_response("create_trail", {"TrailARN": ARN}, dict(wanted.request))
        stub.add_response(
            "put_event_selectors",
            {},
            {
                "TrailName": ARN,
                "AdvancedEventSelectors": [
                    {"Name": ANY, "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
                    *(
                        {
                            "Name": type_,
                            "FieldSelectors": [
                                {"Field": "eventCategory", "Equals": ["Data"]},
                                {"Field": "resources.type", "Equals": [type_]},
                            ],
                        }
                        for type_ in ("AWS::S3::Object", "AWS::Lambda::Function")
                    ),
                ],
            },
        )
        stub.add_response("put_insight_selectors", {}, {"TrailName": ARN, "InsightSelectors": ANY})
        stub.add_response("start_logging", {}, {"Name": ARN})

        outcome = make_first_trail(cloudtrail, wanted)

        stub.assert_no_pending_responses()
    assert (outcome.done, outcome.arn) == ("created", ARN)
