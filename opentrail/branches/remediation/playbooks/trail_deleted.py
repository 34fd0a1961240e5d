"""A trail is deleted. What it was like is in event history, for 90 days.

It comes back without its CloudWatch Logs group: giving CloudTrail the group's role again
takes ``iam:PassRole``, which is more than this playbook should have.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from opentrail.branches.remediation.playbook import Cloud, Danger, Permission, Playbook, Record, Target, calls
from opentrail.branches.remediation.trails import TRAILS, all_trails, trail_of

# Member of the record's answer -> parameter of CreateTrail. CloudTrail API reference.
CREATE = {
    "name": "Name",
    "s3BucketName": "S3BucketName",
    "s3KeyPrefix": "S3KeyPrefix",
    "snsTopicName": "SnsTopicName",
    "includeGlobalServiceEvents": "IncludeGlobalServiceEvents",
    "isMultiRegionTrail": "IsMultiRegionTrail",
    "logFileValidationEnabled": "EnableLogFileValidation",
    "kmsKeyId": "KmsKeyId",
    "isOrganizationTrail": "IsOrganizationTrail",
}
SELECTORS = ("eventSelectors", "advancedEventSelectors")


def _moment(record: Record) -> tuple[str, str]:
    return str(record["eventTime"]), str(record["eventID"])


def _history(cloud: Cloud, target: Target) -> Iterator[Record]:
    """The trail's successful calls before it was deleted, newest first; not those of a fix that broke off."""
    name = target.name.rpartition("/")[2]
    wanted = [{"AttributeKey": "ResourceName", "AttributeValue": value} for value in (name, target.arn)]
    found = [
        json.loads(event["CloudTrailEvent"])
        for attribute in wanted
        for event in cloud("cloudtrail", "lookup_events", LookupAttributes=[attribute])["Events"]
    ]
    deleted = _moment(target.record)
    before = [record for record in found if _moment(record) < deleted and "errorCode" not in record]
    for record in sorted(before, key=_moment, reverse=True):
        yield record
        if record["eventName"] == "CreateTrail":
            return  # what is older was another trail of this name


def _remembered(cloud: Cloud, target: Target) -> dict[str, Any]:
    """How to make the trail again, as far as history knows."""
    known: dict[str, Any] = {"create": None, "selectors": None, "logging": None}
    for record in _history(cloud, target):
        name = record["eventName"]
        if name in ("CreateTrail", "UpdateTrail") and known["create"] is None:
            answer = record.get("responseElements") or {}
            known["create"] = {
                parameter: answer[member] for member, parameter in CREATE.items() if answer.get(member)
            }
        elif name == "PutEventSelectors" and known["selectors"] is None:
            known["selectors"] = {
                _capital(member): _api_spelling(record["requestParameters"][member])
                for member in SELECTORS
                if record["requestParameters"].get(member)
            }
        elif name in ("StartLogging", "StopLogging") and known["logging"] is None:
            known["logging"] = name == "StartLogging"
    return known


def _capital(member: str) -> str:
    return member[:1].upper() + member[1:]


def _api_spelling(value: Any) -> Any:
    """Records spell members with a small first letter, the API with a capital one."""
    if isinstance(value, Mapping):
        return {_capital(member): _api_spelling(inner) for member, inner in value.items()}
    return [_api_spelling(inner) for inner in value] if isinstance(value, list) else value


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Is there such a trail, and does it log if it did?"""
    there = any(target.name in (trail["TrailARN"], trail["Name"]) for trail in all_trails(cloud))
    if there and cloud("cloudtrail", "get_trail_status", Name=target.name)["IsLogging"]:
        return None
    known = _remembered(cloud, target)
    if not there:
        return Danger(problem="the trail is deleted", before={**known, "deleted": True})
    if known["logging"]:
        return Danger(problem="the trail is back and does not log", before={**known, "deleted": False})
    return None


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Make it again; without memory of it nothing can be made, and the check says so."""
    known = danger.before
    if known["deleted"] and not known["create"]:
        return
    if known["deleted"]:
        cloud("cloudtrail", "create_trail", **known["create"])
    if known["selectors"]:
        cloud("cloudtrail", "put_event_selectors", TrailName=target.name, **known["selectors"])
    if known["logging"]:
        cloud("cloudtrail", "start_logging", Name=target.name)


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Delete it again, or stop it."""
    if before["deleted"]:
        cloud("cloudtrail", "delete_trail", Name=target.name)
    else:
        cloud("cloudtrail", "stop_logging", Name=target.name)


PLAYBOOK = Playbook(
    id="trail-deleted",
    title="Trail deleted",
    severity="critical",
    controls=("CIS AWS 3.0 3.1", "NIST 800-53 AU-12", "PCI DSS 4.0 10.2.1"),
    pattern=calls("cloudtrail", "DeleteTrail"),
    reads=(
        Permission(
            actions=("cloudtrail:DescribeTrails", "cloudtrail:LookupEvents"),
            resources=("*",),
            why="CloudTrail offers no resource for these",
        ),
        Permission(actions=("cloudtrail:GetTrailStatus",), resources=(TRAILS,), why="any trail"),
    ),
    writes=(
        Permission(
            actions=(
                "cloudtrail:CreateTrail",
                "cloudtrail:DeleteTrail",
                "cloudtrail:PutEventSelectors",
                "cloudtrail:StartLogging",
                "cloudtrail:StopLogging",
            ),
            resources=(TRAILS,),
            why="any trail",
        ),
    ),
    target=trail_of,
    check=check,
    fix=fix,
    undo=undo,
)
