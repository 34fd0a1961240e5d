"""Trail names and ARNs, and what is wrong with them."""

from __future__ import annotations

import re
from typing import NamedTuple

from opentrail.api.errors import ApiError

MIN_NAME_CHARACTERS = 3
MAX_NAME_CHARACTERS = 128

_ARN = re.compile(r"arn:(aws[a-z-]*):cloudtrail:([a-z]{2,4}(?:-[a-z]+)+-\d{1,2}):(\d{12}):trail/(.+)")
_ALLOWED = re.compile(r"[A-Za-z0-9._-]+")
_ADJACENT = re.compile(r"[._-]{2}")
_IP_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_EDGE = re.compile(r"[A-Za-z0-9]")


class TrailRef(NamedTuple):
    """A trail as a request names it; ``region`` and ``account`` are empty for a bare name."""

    name: str
    region: str = ""
    account: str = ""


def check_trail_name(name: str) -> None:
    """Do nothing for a name CloudTrail takes.

    Raises:
        ApiError: InvalidTrailNameException, saying what is wrong.

    Source: user guide, "Naming requirements for CloudTrail resources".
    """
    problem = _problem(name)
    if problem:
        raise ApiError("InvalidTrailNameException", problem)


def _problem(name: str) -> str:
    length = f"Specified name length: {len(name)} characters."
    if len(name) < MIN_NAME_CHARACTERS:
        return f"Trail name too short. Minimum allowed length: {MIN_NAME_CHARACTERS} characters. {length}"
    if len(name) > MAX_NAME_CHARACTERS:
        return f"Trail name too long. Maximum allowed length: {MAX_NAME_CHARACTERS} characters. {length}"
    if not _EDGE.fullmatch(name[0]):
        return "Trail name must starts with a letter or number."
    if not _EDGE.fullmatch(name[-1]):
        return "Trail name must ends with a letter or number."
    if not _ALLOWED.fullmatch(name):
        return (
            "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, "
            "periods (.), hyphens (-), and underscores (_)."
        )
    if _ADJACENT.search(name):
        return "Trail name must not have two periods, hyphens or underscores side by side."
    return "Trail name must not look like an IP address." if _IP_ADDRESS.fullmatch(name) else ""


def parse_trail_ref(text: str, partition: str) -> TrailRef:
    """Read a name or an ARN, which must be of ``partition``.

    Raises:
        ApiError: CloudTrailARNInvalidException or InvalidTrailNameException.
    """
    if not text.startswith("arn:"):
        check_trail_name(text)
        return TrailRef(text)
    match = _ARN.fullmatch(text)
    if match is None or match[1] != partition or _problem(match[4]):
        raise ApiError("CloudTrailARNInvalidException", f"Trail ARN is not valid: {text}")
    return TrailRef(match[4], match[2], match[3])
