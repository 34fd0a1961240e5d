"""The resources a record names, and who owns them.

Source: CloudTrail user guide, "CloudTrail record contents" (resources); the rules
are rows of ``data/resources.toml``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from moto.kms.models import kms_backends
from moto.s3.models import s3_backends

from opentrail.local.call import Call, Reply
from opentrail.local.capture.answer import failed, read_output
from opentrail.local.capture.operation import Target
from opentrail.local.capture.tables import table

PLACEHOLDER = re.compile(r"\{(\w+)([/#]?)\}")
COPY_SOURCES = ("CopyObject", "UploadPartCopy")


Find = Callable[[Call, Target, Reply], list[dict[str, str]]]


@cache
def finder_of(service: str, operation: str) -> Find:
    """What finds the resources of one operation's calls; worked out once."""
    if service == "s3":
        return _s3
    if service == "kms":
        return _kms
    rules = table("resources")
    row = rules.get(f"{service}.{operation}") or rules.get(f"{service}.*")
    templates = tuple(row["resources"]) if row else ()

    def find(call: Call, target: Target, reply: Reply) -> list[dict[str, str]]:
        return [resource for template in templates for resource in _from_template(template, call)]

    return find


def owner_of_arn(arn: str) -> str:
    """The account field of an ARN; empty for S3 and malformed ones."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def partition_of(region: str) -> str:
    """``aws``, ``aws-cn`` or ``aws-us-gov``; the partition of a Region's ARNs."""
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _from_template(template: Mapping[str, Any], call: Call) -> Iterator[dict[str, str]]:
    for arn in _expand(template["arn"], call):
        yield _resource(arn, owner_of_arn(arn) or call.caller.account, str(template.get("type", "")))


def _resource(arn: str, account: str, kind: str) -> dict[str, str]:
    resource = {"accountId": account} if account else {}
    if kind:
        resource["type"] = kind
    return {**resource, "ARN": arn}


def _expand(template: str, call: Call) -> Iterator[str]:
    context = {
        "partition": partition_of(call.region),
        "region": call.region,
        "account": call.caller.account,
    }
    member, style = next((m for m in PLACEHOLDER.findall(template) if m[0] not in context), ("", ""))
    value = call.parameters.get(member)
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str) and item:
            if item.startswith("arn:"):
                yield item
            else:
                filled = {**context, member: _styled(item, style)}
                yield _filled(template, filled)


def _filled(template: str, values: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: values.get(match[1], ""), template)


def _styled(value: str, style: str) -> str:
    if style == "/":
        return value.lstrip("/")
    return value.rstrip("/").rpartition("/")[2] if style == "#" else value


def _s3(call: Call, target: Target, reply: Reply) -> list[dict[str, str]]:
    rules = table("resources")["s3"]
    bucket = call.parameters.get("Bucket")
    if not isinstance(bucket, str) or call.operation in rules["none"] or bucket.startswith("arn:"):
        return []
    partition, account = s3_backends.bucket_accounts.get(
        bucket, (partition_of(call.region), call.caller.account)
    )
    arn = f"arn:{partition}:s3:::{bucket}"
    found = [_resource(arn, account, "AWS::S3::Bucket")]
    if call.operation in rules["prefixes"]:
        return [{"type": "AWS::S3::Object", "ARNPrefix": f"{arn}/"}, *found]
    if call.operation not in rules["objects"]:
        return found
    found.insert(0, _resource(f"{arn}/{call.parameters.get('Key', '')}", "", "AWS::S3::Object"))
    if call.operation in COPY_SOURCES:
        source = str(call.parameters.get("CopySource", "")).lstrip("/").partition("?")[0]
        found.append(_resource(f"arn:{partition}:s3:::{source}", "", "AWS::S3::Object"))
    return found


def _kms(call: Call, target: Target, reply: Reply) -> list[dict[str, str]]:
    if call.operation in table("resources")["kms"]["none"]:
        return []
    arns = [_alias_arn(call), _answered_key(target, reply) or _key_arn(call)]
    return [_resource(arn, owner_of_arn(arn) or call.caller.account, "AWS::KMS::Key") for arn in arns if arn]


def _alias_arn(call: Call) -> str:
    """The alias an alias operation is about; records name it like a key."""
    alias = call.parameters.get("AliasName")
    return f"arn:{partition_of(call.region)}:kms:{call.region}:{call.caller.account}:{alias}" if alias else ""


def _answered_key(target: Target, reply: Reply) -> str:
    """The key an answer names: the only trace of it in Decrypt and CreateKey."""
    if failed(reply) or target.model.output_shape is None:
        return ""
    output = read_output(target, reply)
    named = output.get("KeyId") or output.get("KeyMetadata", {}).get("Arn", "")
    return str(named) if str(named).startswith("arn:") else ""


def _key_arn(call: Call) -> str:
    """The ARN of the key a request names by id, alias or ARN."""
    named = call.parameters.get("KeyId") or call.parameters.get("TargetKeyId") or ""
    alias = call.parameters.get("AliasName") or (named if "alias/" in str(named) else "")
    if alias and not call.parameters.get("TargetKeyId"):
        backend = kms_backends[call.caller.account][call.region]
        named = backend.get_key_id_from_alias(str(alias).rpartition(":")[2]) or ""
    if not named or str(named).startswith("arn:"):
        return str(named)
    return f"arn:{partition_of(call.region)}:kms:{call.region}:{call.caller.account}:key/{named}"
