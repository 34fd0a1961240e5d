"""Times as CloudTrail writes them: UTC, whole seconds, ``Z``.

Source: CloudTrail user guide, "CloudTrail record contents" (eventTime) and
"Digest file structure" (digestStartTime); file names use the basic form.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from opentrail.errors import FormatError

EXTENDED = "%Y-%m-%dT%H:%M:%SZ"
BASIC = "%Y%m%dT%H%M%SZ"

# What CloudTrail writes; strptime, which takes ten times as long, reads a little more than that.
_EXTENDED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_BASIC = re.compile(r"\d{8}T\d{6}Z", re.ASCII)


def to_iso(moment: datetime) -> str:
    """``2026-01-10T04:20:31Z``; fractions of a second are cut, never rounded up."""
    return moment.astimezone(UTC).strftime(EXTENDED)


def to_basic(moment: datetime) -> str:
    """``20260110T042031Z``, the form in digest file names."""
    return moment.astimezone(UTC).strftime(BASIC)


def from_iso(text: str) -> datetime:
    """Read ``2026-01-10T04:20:31Z``.

    Raises:
        FormatError: any other shape.
    """
    try:
        if _EXTENDED.fullmatch(text):
            return datetime.fromisoformat(text)
        return datetime.strptime(text, EXTENDED).replace(tzinfo=UTC)
    except (ValueError, TypeError) as error:
        raise FormatError(f"not a CloudTrail time: {text!r}") from error


def from_basic(text: str) -> datetime:
    """Read ``20260110T042031Z``.

    Raises:
        FormatError: any other shape.
    """
    try:
        if _BASIC.fullmatch(text):
            return datetime.fromisoformat(text)
        return datetime.strptime(text, BASIC).replace(tzinfo=UTC)
    except (ValueError, TypeError) as error:
        raise FormatError(f"not a basic CloudTrail time: {text!r}") from error


def from_epoch(seconds: float) -> datetime:
    """UTC moment of ``seconds`` since 1970, fractions kept."""
    return datetime.fromtimestamp(seconds, UTC)
