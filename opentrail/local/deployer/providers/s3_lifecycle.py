"""Lifecycle rules: CloudFormation's form -> S3's.

The two differ in more than names: CloudFormation writes an expiration as
members of the rule, S3 as an object, and filters as members, S3 as one filter.

Source: CloudFormation ``AWS::S3::Bucket Rule``; S3 API ``LifecycleRule``.
"""

from __future__ import annotations

from typing import Any, Final

from opentrail.errors import DeployError
from opentrail.local.deployer.properties import Properties

_MINIMUM: Final = "TransitionDefaultMinimumObjectSize"
_SIZES: Final = ("ObjectSizeGreaterThan", "ObjectSizeLessThan")  # bytes


def lifecycle_rules(configuration: Properties | None) -> dict[str, Any] | None:
    """Return the ``LifecycleConfiguration`` of S3's API, or None when there is none."""
    if configuration is None:
        return None
    size = configuration.text(_MINIMUM)
    if size not in {None, "all_storage_classes_128K"}:
        raise DeployError(f"property {configuration.place(_MINIMUM)}: {size} is not supported")
    return {"Rules": [_rule(rule) for rule in configuration.children("Rules")]}


def _rule(rule: Properties) -> dict[str, Any]:
    made: dict[str, Any] = {"Status": rule.need("Status"), "Filter": _filter(rule)}
    for key, value in (
        ("ID", rule.text("Id")),
        ("Expiration", _expiration(rule)),
        ("Transitions", [_transition(one) for one in _one_or_many(rule, "Transition")]),
        ("NoncurrentVersionExpiration", _noncurrent_expiration(rule)),
        (
            "NoncurrentVersionTransitions",
            [_noncurrent_transition(one) for one in _one_or_many(rule, "NoncurrentVersionTransition")],
        ),
        ("AbortIncompleteMultipartUpload", _abort(rule.child("AbortIncompleteMultipartUpload"))),
    ):
        if value:
            made[key] = value
    return made


def _filter(rule: Properties) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    if (prefix := rule.text("Prefix")) is not None:
        parts["Prefix"] = prefix
    for name in _SIZES:
        if (size := rule.whole(name)) is not None:
            parts[name] = size
    tags = [{"Key": key, "Value": value} for key, value in rule.tags("TagFilters").items()]
    if len(parts) + len(tags) > 1:
        return {"And": {**parts, **({"Tags": tags} if tags else {})}}
    if tags:
        return {"Tag": tags[0]}
    return parts or {"Prefix": ""}


def _expiration(rule: Properties) -> dict[str, Any]:
    return _present(
        Days=rule.whole("ExpirationInDays"),
        Date=rule.text("ExpirationDate"),
        ExpiredObjectDeleteMarker=rule.flag("ExpiredObjectDeleteMarker") or None,
    )


def _transition(one: Properties) -> dict[str, Any]:
    return _present(
        Days=one.whole("TransitionInDays"),
        Date=one.text("TransitionDate"),
        StorageClass=one.need("StorageClass"),
    )


def _noncurrent_expiration(rule: Properties) -> dict[str, Any]:
    short = rule.whole("NoncurrentVersionExpirationInDays")
    one = rule.child("NoncurrentVersionExpiration")
    if one is None:
        return _present(NoncurrentDays=short)
    return _present(
        NoncurrentDays=one.whole("NoncurrentDays"),
        NewerNoncurrentVersions=one.whole("NewerNoncurrentVersions"),
    )


def _noncurrent_transition(one: Properties) -> dict[str, Any]:
    return _present(
        NoncurrentDays=one.whole("TransitionInDays"),
        NewerNoncurrentVersions=one.whole("NewerNoncurrentVersions"),
        StorageClass=one.need("StorageClass"),
    )


def _abort(one: Properties | None) -> dict[str, Any]:
    return {} if one is None else _present(DaysAfterInitiation=one.whole("DaysAfterInitiation"))


def _one_or_many(rule: Properties, name: str) -> list[Properties]:
    single = rule.child(name)
    return [*([single] if single else []), *rule.children(f"{name}s")]


def _present(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
