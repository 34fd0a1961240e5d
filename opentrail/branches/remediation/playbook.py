"""What a playbook is: which events it wants, what it looks at, what it does, and what it may do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Record = Mapping[str, Any]  # a CloudTrail record
Answer = Mapping[str, Any]  # what an API answered
Severity = Literal["low", "medium", "high", "critical"]

# The tag by which a resource's owner takes it out: "except" for all playbooks, or their ids, spaces between.
EXCEPTION_TAG = "opentrail-remediation"

API_CALL = "AWS API Call via CloudTrail"
SIGN_IN = "AWS Console Sign In via CloudTrail"


class Cloud(Protocol):
    """The AWS APIs of one account and Region. What a playbook calls, its permissions must allow."""

    def __call__(self, service: str, method: str, /, **parameters: Any) -> Answer:
        """Call a method of boto3's client of ``service``.

        Raises:
            StorageError: AWS refused, with AWS's own error code, or did not answer.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """IAM actions on resources.

    Resources may hold ``{partition}``, ``{account}`` and ``{region}``; ``why`` says why they are so many.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The one resource an event is about.

    Attributes:
        name: what its API calls it: a bucket's name, a group's id, a key's ARN. Lookups find the
            decision by it, as they find the call that named the resource so.
        arn: for people; lookups find the decision by it, too.
        type: as event history calls its kind, ``AWS::S3::Bucket``.
        account, region: where the event happened.
        record: the event; empty when an earlier fix is undone.
    """

    name: str
    arn: str
    type: str
    account: str
    region: str
    record: Record = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Danger:
    """What a check found in the live resource.

    Attributes:
        problem: one sentence without its full stop.
        before: what the fix changes, as it is now, in JSON; the undo gets it back.
    """

    problem: str
    before: Mapping[str, Any] = field(default_factory=dict)


def no_tags(cloud: Cloud, target: Target) -> Mapping[str, str]:
    """For resources that have no tags."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """One danger and its end. A playbook without ``fix`` only tells of it.

    Attributes:
        id: lower case and hyphens; names function, role and rule.
        title: the danger, for people.
        controls: what of CIS, NIST and PCI asks for it.
        pattern: the EventBridge pattern of events that may bring the danger.
        reads, writes: the permissions of ``check`` and ``tags``, and of ``fix`` and ``undo``.
        target: finds the resource in a record; None when the record names none.
        check: looks at the live resource; None when there is no danger. It also verifies the fix.
        fix: ends the danger that ``check`` found.
        undo: puts ``Danger.before`` back.
        tags: the live resource's tags, for exceptions.
        gone: error codes that say the resource is not there any more.
    """

    id: str
    title: str
    severity: Severity
    controls: tuple[str, ...]
    pattern: Mapping[str, Any]
    reads: tuple[Permission, ...]
    writes: tuple[Permission, ...] = ()
    target: Callable[[Record], Target | None]
    check: Callable[[Cloud, Target], Danger | None]
    fix: Callable[[Cloud, Target, Danger], None] | None = None
    undo: Callable[[Cloud, Target, Mapping[str, Any]], None] | None = None
    tags: Callable[[Cloud, Target], Mapping[str, str]] = no_tags
    gone: Collection[str] = ()


def calls(service: str, *names: Any, detail: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """Return the pattern of successful calls of ``service`` ("s3").

    Args:
        service: as in ``<service>.amazonaws.com``.
        names: event names, or matchers such as ``{"prefix": "CreateFunctionUrlConfig"}``.
        detail: what else the record must match.
    """
    return {
        "source": [f"aws.{service}"],
        "detail-type": [API_CALL],
        "detail": {
            "eventSource": [f"{service}.amazonaws.com"],
            "eventName": list(names),
            "errorCode": [{"exists": False}],
            **(detail or {}),
        },
    }


def parameters(record: Record) -> Mapping[str, Any]:
    """The record's request parameters; empty when it has none."""
    found = record.get("requestParameters")
    return found if isinstance(found, Mapping) else {}


def partition_of(region: str) -> str:
    """``aws-cn`` for ``cn-north-1``; the partition of a Region."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def target_at(record: Record, name: str, type_: str, resource: str) -> Target | None:
    """Return the target ``name`` of a record; None when the name is empty.

    Args:
        record: tells account and Region.
        name: what the API calls the resource.
        type_: ``AWS::S3::Bucket``.
        resource: its ARN behind the partition; ``{account}``, ``{region}`` and ``{name}`` are filled in.
    """
    if not name:
        return None
    account, region = str(record.get("recipientAccountId", "")), str(record.get("awsRegion", ""))
    arn = name if name.startswith("arn:") else f"arn:{partition_of(region)}:{resource}"
    return Target(
        name=name,
        arn=arn.replace("{account}", account).replace("{region}", region).replace("{name}", name),
        type=type_,
        account=account,
        region=region,
        record=record,
    )


def tag_map(tags: Any) -> dict[str, str]:
    """``[{"Key", "Value"}]`` -> a mapping; some APIs answer one already."""
    if isinstance(tags, Mapping):
        return {str(name): str(value) for name, value in tags.items()}
    return {str(tag["Key"]): str(tag["Value"]) for tag in tags or ()}
