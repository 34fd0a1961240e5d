"""What a trail's selectors record, as far as the doctor asks.

Source: CloudTrail API reference, EventSelector and AdvancedEventSelector; without
any selector a trail records all management events and no data events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentrail.branches.doctor.facts import TrailFacts

ALL_BUCKETS = frozenset({"arn:aws:s3", "arn:aws:s3:::"})
READS, WRITES = "ReadOnly", "WriteOnly"


def records_management(trail: TrailFacts) -> bool:
    """Does it record management reads and writes? To leave out KMS and RDS Data API events is no fault."""
    kinds = {kind for selector in trail.selectors for kind in _basic_management(selector)}
    kinds |= {kind for selector in trail.advanced for kind in _advanced_kinds(selector, "Management")}
    if not trail.selectors and not trail.advanced:
        return True
    return {READS, WRITES} <= kinds


def records_objects(trail: TrailFacts) -> bool:
    """Does it record reads and writes of the objects of all buckets?"""
    kinds = {kind for selector in trail.selectors for kind in _basic_objects(selector)}
    kinds |= {
        kind
        for selector in trail.advanced
        if _values(selector, "resources.type") == ["AWS::S3::Object"]
        and not _fields(selector) - {"eventCategory", "resources.type", "readOnly"}
        for kind in _advanced_kinds(selector, "Data")
    }
    return {READS, WRITES} <= kinds


def _basic_management(selector: Mapping[str, Any]) -> set[str]:
    return _basic_kinds(selector) if selector.get("IncludeManagementEvents", True) else set()


def _basic_objects(selector: Mapping[str, Any]) -> set[str]:
    values = {
        value
        for resource in selector.get("DataResources", [])
        if resource.get("Type") == "AWS::S3::Object"
        for value in resource.get("Values", [])
    }
    return _basic_kinds(selector) if values & ALL_BUCKETS else set()


def _basic_kinds(selector: Mapping[str, Any]) -> set[str]:
    kind = selector.get("ReadWriteType", "All")
    return {READS, WRITES} if kind == "All" else {kind}


def _advanced_kinds(selector: Mapping[str, Any], category: str) -> set[str]:
    if _values(selector, "eventCategory") != [category]:
        return set()
    if "readOnly" not in _fields(selector):
        return {READS, WRITES}
    return {READS if value == "true" else WRITES for value in _values(selector, "readOnly")}


def _fields(selector: Mapping[str, Any]) -> set[str]:
    return {field["Field"] for field in selector.get("FieldSelectors", [])}


def _values(selector: Mapping[str, Any], name: str) -> list[str]:
    fields = [field for field in selector.get("FieldSelectors", []) if field["Field"] == name]
    return [value for field in fields for value in field.get("Equals", [])]
