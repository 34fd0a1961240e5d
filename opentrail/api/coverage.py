"""What kinds of event a trail's selectors let in at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentrail.api.members import DEFAULT_EVENT_SELECTOR
from opentrail.model.trail import Trail


def logs_management(trail: Trail, *, writes_only: bool) -> bool:
    """True when some management event can be selected; with ``writes_only``, some write."""
    unwanted = {"ReadOnly"} if writes_only else set()
    return any(category == "Management" and kind not in unwanted for category, kind in _kinds(trail))


def logs_data(trail: Trail) -> bool:
    """True when some data event can be selected."""
    return any(category == "Data" for category, _ in _kinds(trail))


def _kinds(trail: Trail) -> Iterator[tuple[str, str]]:
    """(category, ReadWriteType) of everything the selectors let in."""
    if trail.advanced_event_selectors:
        for advanced in trail.advanced_event_selectors:
            yield _advanced_kind(advanced)
        return
    for selector in trail.event_selectors or [DEFAULT_EVENT_SELECTOR]:
        if selector["IncludeManagementEvents"]:
            yield "Management", selector["ReadWriteType"]
        if selector["DataResources"]:
            yield "Data", selector["ReadWriteType"]


def _advanced_kind(selector: dict[str, Any]) -> tuple[str, str]:
    equals = {f["Field"]: f["Equals"][0] for f in selector["FieldSelectors"] if "Equals" in f}
    kind = {"true": "ReadOnly", "false": "WriteOnly"}.get(equals.get("readOnly", ""), "All")
    return equals["eventCategory"], kind
