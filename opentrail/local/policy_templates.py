"""The policy templates that ``aws cloudtrail create-subscription`` fetches from AWS's own bucket.

The aws-cli reads them from ``awscloudtrail-policy-<region>`` and fills in the
names in angle brackets. The bucket belongs to an account of its own, so it is
not among the user's buckets.
"""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

TEMPLATE_OWNER = "086441151436"  # the account CloudTrail wrote from in us-east-1 before service principals

_CLOUDTRAIL = {"Service": "cloudtrail.amazonaws.com"}
TEMPLATES: dict[str, list[dict[str, Any]]] = {
    "policy/S3/AWSCloudTrail-S3BucketPolicy-2014-12-17.json": [
        {
            "Sid": "AWSCloudTrailAclCheck20150319",
            "Effect": "Allow",
            "Principal": _CLOUDTRAIL,
            "Action": "s3:GetBucketAcl",
            "Resource": "arn:aws:s3:::<BucketName>",
        },
        {
            "Sid": "AWSCloudTrailWrite20150319",
            "Effect": "Allow",
            "Principal": _CLOUDTRAIL,
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::<BucketName>/<Prefix>/AWSLogs/<CustomerAccountID>/*",
            "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
        },
    ],
    "policy/SNS/AWSCloudTrail-SnsTopicPolicy-2014-12-17.json": [
        {
            "Sid": "AWSCloudTrailSNSPolicy20131101",
            "Effect": "Allow",
            "Principal": _CLOUDTRAIL,
            "Action": "SNS:Publish",
            "Resource": "arn:aws:sns:<Region>:<SNSTopicOwnerAccountId>:<SNSTopicName>",
        }
    ],
}


def publish_policy_templates(s3: Any, region: str) -> None:
    """Put the templates where the aws-cli looks for them in ``region``; ``s3`` acts for TEMPLATE_OWNER."""
    bucket = f"awscloudtrail-policy-{region}"
    placed = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=bucket, **placed)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
    for key, statements in TEMPLATES.items():
        policy = {"Version": "2012-10-17", "Statement": statements}
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(policy).encode())
