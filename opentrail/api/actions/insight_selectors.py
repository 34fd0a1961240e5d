"""Which insights are watched for on a trail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from opentrail.api.coverage import logs_data, logs_management
from opentrail.api.destinations import check_bucket, check_key, find_bucket, find_key
from opentrail.api.errors import ApiError
from opentrail.api.scene import Scene
from opentrail.api.visibility import find_readable, find_writable
from opentrail.model.trail import Trail

Members = Mapping[str, Any]


def put_insight_selectors(scene: Scene, given: Members) -> Members:
    """PutInsightSelectors. Replaces what was on; an empty list switches all off."""
    stored = find_writable(scene, _trail_of(given))
    selectors = given["InsightSelectors"]
    _check_selectors(stored.trail, selectors)
    if selectors:
        _check_delivery(scene, stored.trail)
    trail = replace(stored.trail, insight_selectors=selectors or None)
    if trail != stored.trail:
        scene.ports.trails.replace(trail, version=stored.version)
    return {"TrailARN": trail.arn, "InsightSelectors": selectors}


def get_insight_selectors(scene: Scene, given: Members) -> Members:
    """GetInsightSelectors. Nothing switched on is an error; clients rely on its code."""
    trail = find_readable(scene, _trail_of(given))
    if not trail.insight_selectors:
        message = (
            f"Trail {trail.arn} does not have Insights enabled. Edit the trail settings to enable "
            "Insights, and then try the operation again."
        )
        raise ApiError("InsightNotEnabledException", message)
    return {"TrailARN": trail.arn, "InsightSelectors": trail.insight_selectors}


def _trail_of(given: Members) -> str:
    of_store = given.keys() & {"EventDataStore", "InsightsDestination"}
    if "TrailName" in given and of_store:
        message = "Specify either TrailName or EventDataStore, not both."
        raise ApiError("InvalidParameterCombinationException", message)
    if of_store:
        message = "OpenTrail does not support event data stores."
        raise ApiError("UnsupportedOperationException", message)
    if "TrailName" not in given:
        raise ApiError("InvalidParameterException", "Specify TrailName.")
    name: str = given["TrailName"]
    return name


def _check_selectors(trail: Trail, selectors: Sequence[Members]) -> None:
    types = [selector.get("InsightType", "") for selector in selectors]
    if "" in types or len(set(types)) < len(types):
        raise _invalid("Each insight selector names an InsightType, and none names it twice.")
    for selector in selectors:
        if "EventCategories" in selector and not selector["EventCategories"]:
            raise _invalid("EventCategories must not be empty.")
        for category in selector.get("EventCategories", ["Management"]):
            _check_source(trail, selector["InsightType"], category)


def _check_source(trail: Trail, insight_type: str, category: str) -> None:
    """Insights need the events they are computed from: call rates need writes."""
    if category == "Data":
        watched = logs_data(trail)
    else:
        watched = logs_management(trail, writes_only=insight_type == "ApiCallRateInsight")
    if not watched:
        kind = "write management" if insight_type == "ApiCallRateInsight" else "management"
        needed = "data" if category == "Data" else kind
        raise _invalid(f"The trail must log {needed} events to enable {insight_type}.")


def _check_delivery(scene: Scene, trail: Trail) -> None:
    bucket = find_bucket(scene, trail)
    check_bucket(scene, trail, bucket)
    if trail.kms_key_arn:
        try:
            check_key(scene, trail, find_key(scene, trail.kms_key_arn), bucket)
        except ApiError as error:
            if error.code == "InsufficientEncryptionPolicyException":
                raise
            # The only error this operation has for any other trouble with a key.
            raise ApiError("KmsException", error.message) from error


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidInsightSelectorsException", message)
