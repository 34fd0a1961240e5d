"""Size limits of a record's fields.

Source: CloudTrail user guide, "CloudTrail record contents" (the limits); the form of a
truncated message and of an omitted field are those of real records (formats.md 1.10).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

MAX_TEXT = 1024  # characters: userAgent, errorCode, errorMessage, requestID
MAX_FIELD_BYTES = 100 * 1024  # requestParameters, responseElements
MAX_ADDITIONAL_BYTES = 28 * 1024  # additionalEventData
ELLIPSIS = "..."


def shorten(text: str) -> str:
    """At most 1,024 characters; a longer text ends in three dots, which count."""
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - len(ELLIPSIS)] + ELLIPSIS


def fit(name: str, value: Mapping[str, Any] | None, limit: int = MAX_FIELD_BYTES) -> Any:
    """``value``, or the object that stands for one too large to record."""
    if value is None:
        return None
    size = len(msgspec.json.encode(value))
    if size <= limit:
        return value
    return {"reason": f"{name} too large", "omitted": "true", "originalSize": str(size)}
