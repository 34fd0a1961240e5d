"""What basic event selectors may say.

Source: API reference, EventSelector, DataResource and InvalidEventSelectorsException.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from opentrail.api.errors import ApiError

MAX_SELECTORS = 5
MAX_DATA_RESOURCES = 250  # values per trail; those that mean "all resources" do not count
EXCLUDABLE_SOURCES = frozenset({"kms.amazonaws.com", "rdsdata.amazonaws.com"})

_PARTITION = r"arn:aws[a-z-]*"
_ALL = re.compile(rf"{_PARTITION}:(?:s3(?::::)?|lambda|dynamodb)")
# A bucket needs its slash: CloudTrail refuses "arn:aws:s3:::bucket" (hashicorp/terraform-provider-aws#4043).
_VALUES = {
    "AWS::S3::Object": re.compile(rf"{_PARTITION}:s3(?::::(?:[^/*]+/[^*]*)?)?"),
    "AWS::Lambda::Function": re.compile(
        rf"{_PARTITION}:lambda(?::[a-z0-9-]+:\d{{12}}:function:[A-Za-z0-9_-]{{1,140}}(?::[A-Za-z0-9_$-]+)?)?"
    ),
    "AWS::DynamoDB::Table": re.compile(
        rf"{_PARTITION}:dynamodb(?::[a-z0-9-]+:\d{{12}}:table/[A-Za-z0-9_.-]{{3,255}})?"
    ),
}


def check_basic_selectors(selectors: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The selectors with their defaults filled in, as CloudTrail stores and shows them.

    Raises:
        ApiError: InvalidEventSelectorsException.
    """
    if not 1 <= len(selectors) <= MAX_SELECTORS:
        raise _invalid(f"A trail has 1 to {MAX_SELECTORS} event selectors, not {len(selectors)}.")
    checked = [_check_selector(selector) for selector in selectors]
    values = [v for s in checked for resource in s["DataResources"] for v in resource["Values"]]
    count = sum(1 for value in values if not _ALL.fullmatch(value))
    if count > MAX_DATA_RESOURCES:
        raise _invalid(f"A trail has at most {MAX_DATA_RESOURCES} data resources, not {count}.")
    return checked


def _check_selector(selector: Mapping[str, Any]) -> dict[str, Any]:
    excluded = selector.get("ExcludeManagementEventSources", [])
    for source in excluded:
        if source not in EXCLUDABLE_SOURCES:
            raise _invalid(f"Value {source} for ExcludeManagementEventSources is invalid.")
    return {
        "ReadWriteType": selector.get("ReadWriteType", "All"),
        "IncludeManagementEvents": selector.get("IncludeManagementEvents", True),
        "DataResources": [_check_resource(r) for r in selector.get("DataResources", [])],
        "ExcludeManagementEventSources": excluded,
    }


def _check_resource(resource: Mapping[str, Any]) -> dict[str, Any]:
    kind, values = resource.get("Type", ""), resource.get("Values", [])
    if kind not in _VALUES:
        raise _invalid(f"Value {kind} for DataResources.Type is invalid.")
    if not values:
        raise _invalid("DataResources.Values must not be empty.")
    for value in values:
        if not _VALUES[kind].fullmatch(value):
            raise _invalid(f"Value {value} for DataResources.Values is invalid.")
    return {"Type": kind, "Values": values}


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidEventSelectorsException", message)
