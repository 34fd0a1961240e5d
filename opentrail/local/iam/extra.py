"""What a call needs beside its own action: the use of the keys that encrypt, and passing on a role.

Source: KMS developer guide, "kms:ViaService"; S3 user guide, "Using server-side encryption
with AWS KMS keys"; SQS and DynamoDB developer guides, "Encryption at rest"; IAM user guide,
"Granting a user permissions to pass a role".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from opentrail.local.call import Call
from opentrail.local.capture.resources import partition_of
from opentrail.local.iam import sources

_ROLE_PARAMETERS: Final = {"cloudformation": "RoleARN", "lambda": "Role", "scheduler": "RoleArn"}
_WRITE: Final = ("kms:GenerateDataKey",)
_READ: Final = ("kms:Decrypt",)
_S3: Final = {
    "CompleteMultipartUpload": _READ,
    "CopyObject": _WRITE,
    "CreateMultipartUpload": _WRITE,
    "GetObject": _READ,
    "PutObject": _WRITE,
    "UploadPart": _WRITE,
}
_SQS: Final = {
    "ReceiveMessage": _READ,
    "SendMessage": (*_WRITE, *_READ),
    "SendMessageBatch": (*_WRITE, *_READ),
}
_SNS: Final = {"Publish": (*_WRITE, *_READ), "PublishBatch": (*_WRITE, *_READ)}


@dataclass(frozen=True, slots=True)
class Need:
    """One more action; ``via`` is the service that asks for it on the caller's behalf."""

    action: str
    resource: str
    via: str = ""


def needs(call: Call, resource: str) -> Iterator[Need]:
    """Yield what the call needs beside its own action on ``resource``."""
    actions, key = _encryption(call, resource)
    for action in actions:
        if key:
            yield Need(action, key, f"{call.service}.{call.region}.amazonaws.com")
    if call.service == "kms" and call.operation == "CreateKey" and call.parameters.get("Tags"):
        place = f"{call.region}:{call.caller.account}"
        yield Need("kms:TagResource", f"arn:{partition_of(call.region)}:kms:{place}:key/*")
    role = call.parameters.get(_ROLE_PARAMETERS.get(call.service, ""))
    if isinstance(role, str) and role.startswith("arn:"):
        yield Need("iam:PassRole", role)


def _encryption(call: Call, resource: str) -> tuple[tuple[str, ...], str]:
    """The actions on the key that encrypts the resource, and that key's ARN."""
    parts = resource.split(":", 5)
    if len(parts) != 6:
        return (), ""
    match call.service:
        case "s3":
            return _S3.get(call.operation, ()), _arn(call, _object_key(call))
        case "sqs":
            queue = sources.queue(parts[3], parts[4], parts[5])
            return _SQS.get(call.operation, ()), _arn(call, getattr(queue, "kms_master_key_id", ""))
        case "sns":
            topic = sources.topic(resource)
            return _SNS.get(call.operation, ()), _arn(call, getattr(topic, "kms_master_key_id", ""))
        case "dynamodb":
            name = parts[5].removeprefix("table/").partition("/")[0]
            found = sources.table(parts[3], parts[4], name)
            specified = (getattr(found, "sse_specification", None) or {}).get("KMSMasterKeyId", "")
            # The table's service uses the key by its grant, and asks for the caller's right to read by it.
            return (_READ if _is_about_items(call) else ()), _arn(call, specified)
        case _:
            return (), ""


def _is_about_items(call: Call) -> bool:
    return call.operation in {"Query", "Scan", "ExecuteStatement"} or "Item" in call.operation


def _object_key(call: Call) -> str:
    bucket = sources.bucket(str(call.parameters.get("Bucket")))
    if bucket is None:
        return ""
    if call.operation == "GetObject":
        stored = bucket.keys.get(call.parameters.get("Key"))
        return str(getattr(stored, "kms_key_id", None) or "")
    if call.headers.get("x-amz-server-side-encryption", "aws:kms") != "aws:kms":
        return ""
    return call.headers.get("x-amz-server-side-encryption-aws-kms-key-id") or _default_key(bucket)


def _default_key(bucket: Any) -> str:
    rules = (bucket.encryption or {}).get("Rule", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        if default.get("KMSMasterKeyID"):
            return str(default["KMSMasterKeyID"])
    return ""


def _arn(call: Call, key: Any) -> str:
    """The key's ARN; "" for none, and for keys of AWS's own, which need no permission."""
    if not key:
        return ""
    text = str(key)
    _, _, _, region, account, name = text.split(":", 5) if text.startswith("arn:") else ("",) * 5 + (text,)
    found = sources.key(region or call.region, account or call.caller.account, name)
    return str(found.arn) if found is not None and not name.startswith("alias/aws/") else ""
