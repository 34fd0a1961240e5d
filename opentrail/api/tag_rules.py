"""What tags may be: CloudTrail's limits on keys, values and their number."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from opentrail.api.errors import ApiError

MAX_TAGS = 50  # per resource. Source: user guide, "Quotas in AWS CloudTrail"

_ALLOWED = re.compile(r"[\w\s.:/=+@-]*")


def read_tags(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """``TagsList`` as a mapping; a tag without a value has "".

    Raises:
        ApiError: InvalidTagParameterException for repeated keys, reserved keys or
            characters that tags cannot have.
    """
    found: dict[str, str] = {}
    for tag in tags:
        key, value = tag["Key"], tag.get("Value", "")
        if key in found:
            raise _invalid(f"Duplicate tag key: {key}")
        if key.lower().startswith("aws:"):
            raise _invalid(f"Tag keys that begin with aws: are reserved: {key}")
        if not (_ALLOWED.fullmatch(key) and _ALLOWED.fullmatch(value)):
            raise _invalid(f"The tag has characters that are not allowed: {key}")
        found[key] = value
    return found


def join_tags(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Both, ``new`` over ``old``.

    Raises:
        ApiError: TagsLimitExceededException.
    """
    joined = {**old, **new}
    if len(joined) > MAX_TAGS:
        message = f"The number of tags per resource is limited to {MAX_TAGS}."
        raise ApiError("TagsLimitExceededException", message)
    return joined


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidTagParameterException", message)
