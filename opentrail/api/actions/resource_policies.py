"""Resource policies: trails have none, and what could have one does not exist in OpenTrail yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from opentrail.api.errors import ApiError
from opentrail.api.scene import Scene

_ARN = re.compile(r"arn:aws[a-z-]*:cloudtrail:[a-z0-9-]+:\d{12}:([a-z]+)/.+")
_WITH_POLICY = {"channel", "dashboard", "eventdatastore"}


def refuse_resource(scene: Scene, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """PutResourcePolicy, GetResourcePolicy and DeleteResourcePolicy.

    Raises:
        ApiError: ResourceARNNotValidException, ResourceTypeNotSupportedException
            for trails, ResourceNotFoundException for the rest.
    """
    del scene
    arn = given["ResourceArn"]
    match = _ARN.fullmatch(arn)
    if match is None:
        raise ApiError("ResourceARNNotValidException", f"Resource ARN is not valid: {arn}")
    if match[1] not in _WITH_POLICY:
        message = f"Resource policies are not supported for this type of resource: {arn}"
        raise ApiError("ResourceTypeNotSupportedException", message)
    raise ApiError("ResourceNotFoundException", f"Resource not found: {arn}")
