"""IAM's JSON: where a list may be written as its one element.

Source: IAM user guide, "IAM JSON policy reference".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def as_list(value: Any) -> list[Any]:
    """A list as it is, one element as a list, nothing as an empty one."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def statements(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The statements of a policy, without what is none."""
    return [statement for statement in as_list(document.get("Statement")) if isinstance(statement, dict)]
