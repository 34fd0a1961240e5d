"""Which events a trail takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from opentrail.api.advanced_selectors import check_advanced_selectors
from opentrail.api.basic_selectors import check_basic_selectors
from opentrail.api.errors import ApiError
from opentrail.api.members import DEFAULT_EVENT_SELECTOR
from opentrail.api.scene import Scene
from opentrail.api.visibility import find_readable, find_writable
from opentrail.model.trail import Trail

# A trail is one DynamoDB item of at most 400 kB; the rest of it needs less than 100 kB.
MAX_SELECTOR_BYTES = 300_000

Members = Mapping[str, Any]


def put_event_selectors(scene: Scene, given: Members) -> Members:
    """PutEventSelectors. Replaces all selectors of the trail, of either kind.

    An empty list of advanced selectors brings back the default (Terraform sends
    it when its block is removed; AWS's own answer is UNCONFIRMED).
    """
    stored = find_writable(scene, given["TrailName"])
    trail, shown = _with_selectors(stored.trail, given)
    if trail != stored.trail:
        scene.ports.trails.replace(trail, version=stored.version)
    return {"TrailARN": trail.arn, **shown}


def get_event_selectors(scene: Scene, given: Members) -> Members:
    """GetEventSelectors. Only the kind in force is shown; the default is a basic selector."""
    trail = find_readable(scene, given["TrailName"])
    if trail.advanced_event_selectors:
        return {"TrailARN": trail.arn, "AdvancedEventSelectors": trail.advanced_event_selectors}
    return {"TrailARN": trail.arn, "EventSelectors": trail.event_selectors or [DEFAULT_EVENT_SELECTOR]}


def _with_selectors(trail: Trail, given: Members) -> tuple[Trail, dict[str, Any]]:
    basic, advanced = given.get("EventSelectors"), given.get("AdvancedEventSelectors")
    if (basic is None) == (advanced is None):
        raise _invalid("Specify either EventSelectors or AdvancedEventSelectors.")
    if len(msgspec.json.encode(basic or advanced)) > MAX_SELECTOR_BYTES:
        raise _invalid(f"The selectors are larger than {MAX_SELECTOR_BYTES} bytes.")
    if basic is not None:
        checked = check_basic_selectors(basic)
        changed = replace(trail, event_selectors=checked, advanced_event_selectors=None)
        return changed, {"EventSelectors": checked}
    check_advanced_selectors(advanced or [])
    changed = replace(trail, event_selectors=None, advanced_event_selectors=advanced or None)
    return changed, {"AdvancedEventSelectors": advanced}


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidEventSelectorsException", message)
