"""The keys that digests are signed with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from opentrail.api.errors import ApiError
from opentrail.api.scene import Scene
from opentrail.model.resource import PublicKey

# validate-logs asks two hours past its end; nobody needs the keys of years to come.
FORESIGHT = timedelta(days=1)


def list_public_keys(scene: Scene, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """ListPublicKeys. Without times, the current key; a time that is missing is now."""
    if not given.keys() & {"StartTime", "EndTime"}:
        return {"PublicKeyList": [_show(scene.ports.public_keys.current(scene.now))]}
    start, end = given.get("StartTime", scene.now), given.get("EndTime", scene.now)
    if start > end:
        raise ApiError("InvalidTimeRangeException", "The start time must not be after the end time.")
    end = min(end, scene.now + FORESIGHT)
    return {"PublicKeyList": [_show(key) for key in scene.ports.public_keys.keys(start, end, scene.now)]}


def _show(key: PublicKey) -> dict[str, Any]:
    """The fingerprint is the MD5 of what ``Value`` holds; digests name it."""
    return {
        "Value": key.der,
        "ValidityStartTime": key.valid_from,
        "ValidityEndTime": key.valid_to,
        "Fingerprint": hashlib.md5(key.der, usedforsecurity=False).hexdigest(),
    }
