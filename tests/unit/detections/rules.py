"""Rules for tests."""

from __future__ import annotations

from typing import Any

ID = "0b9e7c52-6b0b-4b0e-9d55-6b2f5b3b1a01"


def rule(detection: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A rule for CloudTrail with this detection, as YAML gives it."""
    return {
        "title": "A rule of tests",
        "id": ID,
        "logsource": {"product": "aws", "service": "cloudtrail"},
        "detection": detection,
        **more,
    }


def selecting(**items: Any) -> dict[str, Any]:
    """A rule with one selection; ``__`` stands for a dot, and a name may end in modifiers."""
    return rule({"selection": items, "condition": "selection"})
