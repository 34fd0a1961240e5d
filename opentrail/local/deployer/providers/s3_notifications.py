"""Bucket notifications: CloudFormation's form -> S3's.

Source: CloudFormation ``AWS::S3::Bucket NotificationConfiguration``; S3 API of the same name.
"""

from __future__ import annotations

from typing import Any, Final

from opentrail.local.deployer.properties import Properties

# CloudFormation's list -> its member for the target, S3's list, S3's member for the target
_KINDS: Final = {
    "LambdaConfigurations": ("Function", "LambdaFunctionConfigurations", "LambdaFunctionArn"),
    "QueueConfigurations": ("Queue", "QueueConfigurations", "QueueArn"),
    "TopicConfigurations": ("Topic", "TopicConfigurations", "TopicArn"),
}


def notifications(configuration: Properties | None) -> dict[str, Any] | None:
    """Return the ``NotificationConfiguration`` of S3's API, or None when there is none."""
    if configuration is None:
        return None
    made: dict[str, Any] = {}
    for source, (member, target, arn) in _KINDS.items():
        items = [_notification(one, member, arn) for one in configuration.children(source)]
        if items:
            made[target] = items
    bridge = configuration.child("EventBridgeConfiguration")
    if bridge is not None and bridge.flag("EventBridgeEnabled", absent=True):
        made["EventBridgeConfiguration"] = {}
    return made


def _notification(one: Properties, member: str, arn: str) -> dict[str, Any]:
    made = {arn: one.need(member), "Events": [one.need("Event")]}
    chosen = one.child("Filter")
    key = chosen.child("S3Key") if chosen else None
    if key is not None:
        rules = [{"Name": rule.need("Name"), "Value": rule.need("Value")} for rule in key.children("Rules")]
        made["Filter"] = {"Key": {"FilterRules": rules}}
    return made
