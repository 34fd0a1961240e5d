"""The resources a call is about: ARN templates filled from its parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from opentrail.local.call import Call
from opentrail.local.capture.resources import partition_of
from opentrail.local.iam.actions import action_of, resource_types, transaction_actions

_PLACEHOLDER: Final = re.compile(r"\$\{(\w+)\}")
_NOT_MINE: Final = ("accesspoint", "access-point", "table/*/index", "/stream/")
# Placeholder -> parameters that hold its value. Others are looked for under their own name.
_PARAMETERS: Final = {
    "bucketname": ("Bucket",),
    "objectname": ("Key",),
    "queuename": ("QueueName", "QueueUrl"),
    "topicname": ("Name", "TopicArn"),
    "keyid": ("KeyId",),
    "functionname": ("FunctionName",),
    "tablename": ("TableName",),
    "rolenamewithpath": ("RoleName",),
    "usernamewithpath": ("UserName",),
    "groupnamewithpath": ("GroupName",),
    "policynamewithpath": ("PolicyName", "PolicyArn"),
    "loggroupname": ("logGroupName",),
    "logstreamname": ("logStreamName",),
    "parameternamewithoutleadingslash": ("Name",),
    "eventbusname": ("EventBusName", "Name"),
    "rulename": ("Name", "Rule"),
    "stackname": ("StackName",),
    "repositoryname": ("repositoryName",),
    "trailname": ("Name", "TrailName"),
    "securitygroupid": ("GroupId",),
    "snapshotname": ("DBSnapshotIdentifier",),
    "clustersnapshotname": ("DBClusterSnapshotIdentifier",),
}
UNKNOWN: Final = "*"


def targets(call: Call) -> list[tuple[str, str]]:
    """Return (action, resource) of everything the call does itself."""
    if call.operation in {"TransactWriteItems", "TransactGetItems"} and call.service == "dynamodb":
        return [(action, _table_arn(call, table)) for action, table in transaction_actions(call)]
    action = action_of(call)
    if call.service == "dynamodb" and isinstance(call.parameters.get("RequestItems"), Mapping):
        return [(action, _table_arn(call, table)) for table in call.parameters["RequestItems"]]
    found = [(action, resource) for resource in _resources(call, action)]
    if call.service == "s3" and call.operation in {"CopyObject", "UploadPartCopy"}:
        source = str(call.parameters.get("CopySource", "")).lstrip("/").partition("?")[0]
        found.append(("s3:GetObject", f"arn:{partition_of(call.region)}:s3:::{source}"))
    return found


def _table_arn(call: Call, name: str) -> str:
    if name.startswith("arn:"):
        return name
    place = f"{call.region}:{call.caller.account}"
    return f"arn:{partition_of(call.region)}:dynamodb:{place}:table/{name}"


def _resources(call: Call, action: str) -> list[str]:
    if call.service == "s3" and call.operation == "DeleteObjects":
        head = f"arn:{partition_of(call.region)}:s3:::{call.parameters.get('Bucket')}"
        return [f"{head}/{item['Key']}" for item in call.parameters.get("Delete", {}).get("Objects", ())]
    if call.service == "dynamodb" and call.parameters.get("IndexName"):
        return [f"{_table_arn(call, str(call.parameters['TableName']))}/index/{call.parameters['IndexName']}"]
    if call.service == "events" and call.operation == "PutEvents":
        return list(_buses(call))
    if action == "logs:DescribeLogGroups":
        # The reference names no resource; AWS's denials name this (hashicorp/terraform-provider-aws#8804).
        place = f"{call.region}:{call.caller.account}"
        return [f"arn:{partition_of(call.region)}:logs:{place}:log-group::log-stream:"]
    templates = [template for template in resource_types(action) if not _is_odd(template)]
    if not templates:
        return [UNKNOWN]
    filled = [_fill(template, call) for template in templates]
    fewest = min(unresolved for _, unresolved in filled)
    listed = _listed_arns(templates, call.parameters) if fewest else []
    if listed:
        return listed
    longest = max((arn for arn, unresolved in filled if unresolved == fewest), key=lambda arn: arn.count("/"))
    return [longest]


def _is_odd(template: str) -> bool:
    return any(part in template for part in _NOT_MINE) or template.startswith("arn:${Partition}:s3express")


def _buses(call: Call) -> Iterator[str]:
    place = f"{call.region}:{call.caller.account}"
    for name in {entry.get("EventBusName") or "default" for entry in call.parameters.get("Entries") or ()}:
        is_arn = str(name).startswith("arn:")
        yield str(name) if is_arn else f"arn:{partition_of(call.region)}:events:{place}:event-bus/{name}"


def _fill(template: str, call: Call) -> tuple[str, int]:
    """The ARN, with ``*`` for what the call does not say, and how often that was."""
    given = _given_arn(template, call.parameters)
    if given:
        return given, 0
    missing = 0

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        account, partition = call.caller.account, partition_of(call.region)
        known = {"Partition": partition, "Region": call.region, "Account": account}
        text = known.get(found[1]) or _parameter(found[1], call)
        missing += text is None
        return text or UNKNOWN

    return _PLACEHOLDER.sub(value, template), missing


def _given_arn(template: str, parameters: Mapping[str, Any]) -> str:
    """A parameter that is such an ARN itself."""
    values = [value for value in parameters.values() if isinstance(value, str)]
    return next((value.removesuffix(":*") for value in _such_arns(template, values)), "")


def _listed_arns(templates: Sequence[str], parameters: Mapping[str, Any]) -> list[str]:
    """The ARNs in parameters that are lists: some calls are about several resources."""
    lists = [value for value in parameters.values() if isinstance(value, list)]
    values = [one for value in lists for one in value if isinstance(one, str)]
    return [arn for template in templates for arn in _such_arns(template, values)]


def _such_arns(template: str, values: Sequence[str]) -> list[str]:
    pattern = re.compile("[^:/]*".join(map(re.escape, _PLACEHOLDER.split(template)[::2])) + ".*")
    return [value for value in values if value.startswith("arn:") and pattern.fullmatch(value)]


def _parameter(placeholder: str, call: Call) -> str | None:
    names = _PARAMETERS.get(placeholder.lower(), (placeholder,))
    by_name = {name.lower(): value for name, value in call.parameters.items()}
    for name in names:
        value = by_name.get(name.lower())
        if isinstance(value, str) and value:
            return _last_part(value, placeholder)
    return None


def _last_part(value: str, placeholder: str) -> str:
    if placeholder == "QueueName":
        return value.rpartition("/")[2]
    if value.startswith("arn:"):
        return re.split("[:/]", value)[-1]
    return value.lstrip("/") if placeholder.startswith("Parameter") else value
