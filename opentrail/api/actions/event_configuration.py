"""Event configuration of trails: there is nothing to configure but the defaults yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentrail.api.errors import ApiError
from opentrail.api.scene import Scene
from opentrail.api.visibility import find_readable, find_writable

Members = Mapping[str, Any]


def put_event_configuration(scene: Scene, given: Members) -> Members:
    """PutEventConfiguration. Takes what leaves a trail as it is and refuses the rest as not supported."""
    trail = find_writable(scene, _trail_of(given)).trail
    if given.keys() & {"MaxEventSize", "ContextKeySelectors"}:
        message = "MaxEventSize and ContextKeySelectors are for event data stores only."
        raise ApiError("InvalidParameterCombinationException", message)
    if given.get("AggregationConfigurations"):
        message = "OpenTrail does not support the aggregation of events."
        raise ApiError("UnsupportedOperationException", message)
    return {"TrailARN": trail.arn, "AggregationConfigurations": []}


def get_event_configuration(scene: Scene, given: Members) -> Members:
    """GetEventConfiguration: a trail aggregates nothing."""
    trail = find_readable(scene, _trail_of(given))
    return {"TrailARN": trail.arn, "AggregationConfigurations": []}


def _trail_of(given: Members) -> str:
    if "TrailName" in given and "EventDataStore" in given:
        message = "Specify either TrailName or EventDataStore, not both."
        raise ApiError("InvalidParameterCombinationException", message)
    if "EventDataStore" in given:
        raise ApiError("UnsupportedOperationException", "OpenTrail does not support event data stores.")
    if "TrailName" not in given:
        raise ApiError("InvalidParameterException", "Specify TrailName.")
    name: str = given["TrailName"]
    return name
