"""Stacks, their resources, events and templates, as CloudFormation's API shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from opentrail.local.cloudformation.request import needed_capabilities, values_of
from opentrail.local.deployer.plan import Change
from opentrail.local.deployer.state import Resource, StackEvent, StackState

_NOT_CHECKED = {"StackDriftStatus": "NOT_CHECKED"}
Members = dict[str, Any]


def show_stack(stack: StackState) -> Members:
    """A member of DescribeStacks."""
    return {
        "StackId": stack.stack_id,
        "StackName": stack.name,
        "ChangeSetId": stack.settings.get("ChangeSetId"),
        "Description": stack.template.get("Description"),
        "Parameters": show_parameters(stack),
        "CreationTime": stack.created,
        "DeletionTime": stack.deleted,
        "LastUpdatedTime": stack.updated,
        "RollbackConfiguration": {},
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason or None,
        "DisableRollback": False,
        "NotificationARNs": stack.settings.get("NotificationARNs", []),
        "Capabilities": stack.settings.get("Capabilities", []),
        "Outputs": _outputs(stack),
        "RoleARN": stack.settings.get("RoleARN"),
        "Tags": stack.settings.get("Tags", []),
        "EnableTerminationProtection": bool(stack.settings.get("EnableTerminationProtection")),
        "DriftInformation": _NOT_CHECKED,
    }


def show_parameters(stack: StackState) -> list[Members]:
    """A stack's parameters; those that must not be echoed are hidden."""
    declared: Mapping[str, Any] = stack.template.get("Parameters", {})
    return [
        {
            "ParameterKey": name,
            "ParameterValue": "****" if _is_hidden(declared.get(name, {})) else value,
        }
        for name, value in values_of(stack).items()
    ]


def _is_hidden(body: Mapping[str, Any]) -> bool:
    return str(body.get("NoEcho", "")).lower() == "true"


def _outputs(stack: StackState) -> list[Members]:
    described: Mapping[str, Any] = stack.template.get("Outputs", {})
    with_export = [name for name in stack.outputs if "Export" in described.get(name, {})]
    exported = dict(zip(with_export, stack.exports, strict=True))  # both are in the template's order
    return [
        {
            "OutputKey": name,
            "OutputValue": value,
            "Description": described.get(name, {}).get("Description"),
            "ExportName": exported.get(name),
        }
        for name, value in stack.outputs.items()
    ]


def show_summary(stack: StackState) -> Members:
    """A member of ListStacks."""
    return {
        "StackId": stack.stack_id,
        "StackName": stack.name,
        "TemplateDescription": stack.template.get("Description"),
        "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason or None,
        "DriftInformation": _NOT_CHECKED,
    }


def show_event(stack: StackState, event: StackEvent) -> Members:
    """A member of DescribeStackEvents."""
    return {
        "StackId": stack.stack_id,
        "StackName": stack.name,
        "EventId": event.event_id,
        "OperationId": event.operation_id,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.type_name,
        "Timestamp": event.time,
        "ResourceStatus": event.status,
        "ResourceStatusReason": event.reason or None,
        "ResourceProperties": json.dumps(event.properties) if event.properties else None,
    }


def show_resource(stack: StackState, resource: Resource) -> Members:
    """A resource with every member that the three operations on resources have."""
    body = stack.template.get("Resources", {}).get(resource.logical_id, {})
    metadata = body.get("Metadata")
    return {
        "StackId": stack.stack_id,
        "StackName": stack.name,
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.made.physical_id,
        "ResourceType": resource.type_name,
        "Timestamp": resource.changed,
        "LastUpdatedTimestamp": resource.changed,
        "ResourceStatus": resource.status,
        "Metadata": json.dumps(metadata) if metadata is not None else None,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }


def show_change(change: Change) -> Members:
    """A member of DescribeChangeSet."""
    details = [
        {
            "Target": {
                "Attribute": "Properties",
                "Name": one.name,
                "Path": f"/Properties/{one.name}",
                "RequiresRecreation": "Always" if one.recreates else "Never",
                "BeforeValue": one.before,
                "AfterValue": one.after,
                "AttributeChangeType": _kind(one.before, one.after),
            },
            "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        }
        for one in change.properties
    ]
    others = [part for part in change.scope if part != "Properties"]
    details += [
        {
            "Target": {"Attribute": part, "RequiresRecreation": "Never"},
            "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        }
        for part in others
    ]
    return {
        "Type": "Resource",
        "ResourceChange": {
            "PolicyAction": _policy(change),
            "Action": change.action,
            "LogicalResourceId": change.logical_id,
            "PhysicalResourceId": change.physical_id or None,
            "ResourceType": change.type_name,
            "Replacement": change.replacement or None,
            "Scope": list(change.scope),
            "Details": details,
        },
    }


def _kind(before: str | None, after: str | None) -> str:
    if before is None:
        return "Add"
    return "Remove" if after is None else "Modify"


def _policy(change: Change) -> str | None:
    if change.action == "Remove":
        return "Retain" if change.keep else "Delete"
    return "ReplaceAndDelete" if change.replacement == "True" else None


def show_template(template: Mapping[str, Any]) -> Members:
    """What GetTemplateSummary and ValidateTemplate say about a template."""
    resources: Mapping[str, Any] = template.get("Resources", {})
    capabilities = needed_capabilities(template)
    reason = "; ".join(
        f"The following resource(s) require capabilities: [{', '.join(kinds)}]" for _, kinds in capabilities
    )
    return {
        "Description": template.get("Description"),
        "Capabilities": [name for name, _ in capabilities],
        "CapabilitiesReason": reason or None,
        "ResourceTypes": sorted({str(body.get("Type")) for body in resources.values()}),
        "Version": template.get("AWSTemplateFormatVersion"),
        "Metadata": json.dumps(template["Metadata"]) if "Metadata" in template else None,
        "DeclaredTransforms": [],
        "Parameters": [_declaration(name, body) for name, body in template.get("Parameters", {}).items()],
    }


def _declaration(name: str, body: Mapping[str, Any]) -> Members:
    allowed = body.get("AllowedValues")
    return {
        "ParameterKey": name,
        "DefaultValue": str(body["Default"]) if "Default" in body else None,
        "ParameterType": body.get("Type"),
        "NoEcho": _is_hidden(body),
        "Description": body.get("Description"),
        "ParameterConstraints": {"AllowedValues": [str(value) for value in allowed]} if allowed else {},
    }
