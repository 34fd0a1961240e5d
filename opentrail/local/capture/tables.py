"""The rule tables of this package, read once from ``data/*.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

DATA = files("opentrail.local.capture") / "data"


@cache
def table(name: str) -> Mapping[str, Any]:
    """The contents of ``data/<name>.toml``. Callers must not change what they get."""
    return tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))
