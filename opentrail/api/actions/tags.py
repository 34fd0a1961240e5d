"""Tags of trails."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from opentrail.api.errors import ApiError
from opentrail.api.names import parse_trail_ref
from opentrail.api.ports import Stored
from opentrail.api.scene import Scene
from opentrail.api.tag_rules import join_tags, read_tags
from opentrail.api.visibility import locate, refuse_member

MAX_RESOURCES = 20  # per ListTags. Source: API reference, ListTags

_ARN = re.compile(r"arn:aws[a-z-]*:cloudtrail:[a-z0-9-]+:\d{12}:([a-z]+)/(.+)")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Members = Mapping[str, Any]


def add_tags(scene: Scene, given: Members) -> Members:
    """AddTags. A key that is there gets the new value."""
    stored = _find(scene, given["ResourceId"], "ChannelNotFoundException")
    refuse_member(scene, stored.trail)
    tags = join_tags(stored.trail.tags, read_tags(given["TagsList"]))
    return _store(scene, stored, tags)


def remove_tags(scene: Scene, given: Members) -> Members:
    """RemoveTags, by key; a key that is not there is no error, values are not compared."""
    stored = _find(scene, given["ResourceId"], "ChannelNotFoundException")
    refuse_member(scene, stored.trail)
    keys = read_tags(given["TagsList"]).keys()
    return _store(scene, stored, {k: v for k, v in stored.trail.tags.items() if k not in keys})


def list_tags(scene: Scene, given: Members) -> Members:
    """ListTags, in the order asked. All tags fit one page."""
    arns = given["ResourceIdList"]
    if len(arns) > MAX_RESOURCES:
        message = f"At most {MAX_RESOURCES} resources can be listed at once."
        raise ApiError("ValidationException", message)
    return {"ResourceTagList": [_show(arn, _find(scene, arn).trail.tags) for arn in arns]}


def _show(arn: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """A tag that was given no value has "" (UNCONFIRMED): readers of tags look for both members."""
    return {"ResourceId": arn, "TagsList": [{"Key": k, "Value": v} for k, v in tags.items()]}


def _store(scene: Scene, stored: Stored, tags: dict[str, str]) -> Members:
    if tags != stored.trail.tags:
        scene.ports.trails.replace(replace(stored.trail, tags=tags), version=stored.version)
    return {}


def _absent(arn: str, kind: str, name: str, no_channel: str) -> ApiError:
    """What CloudTrail also tags but OpenTrail does not have yet: there is none of that name."""
    if kind == "eventdatastore":
        known = _UUID.fullmatch(name)
        code = "EventDataStoreNotFoundException" if known else "EventDataStoreARNInvalidException"
    elif kind == "channel":
        code = no_channel if _UUID.fullmatch(name) else "ChannelARNInvalidException"
    elif kind == "dashboard":
        code = "ResourceNotFoundException"
    else:
        code = "ResourceTypeNotSupportedException"
    return ApiError(code, f"Resource not found: {arn}")


def _find(scene: Scene, arn: str, no_channel: str = "ResourceNotFoundException") -> Stored:
    """The trail; ``no_channel`` is the operation's error for a channel that does not exist."""
    kind = _ARN.fullmatch(arn)
    if kind is None:
        raise ApiError("CloudTrailARNInvalidException", f"Resource ARN is not valid: {arn}")
    if kind[1] != "trail":
        raise _absent(arn, kind[1], kind[2], no_channel)
    ref = parse_trail_ref(arn, scene.partition)
    if ref.region != scene.region:
        message = f"Region in ARN is wrong, you can only access resources in region {scene.region}."
        raise ApiError("CloudTrailARNInvalidException", message)
    stored = locate(scene, ref)
    if stored is None:
        raise ApiError("ResourceNotFoundException", f"Resource not found: {arn}")
    return stored
