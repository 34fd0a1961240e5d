"""The evidence as one HTML page that needs nothing from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined


def render(document: Mapping[str, Any]) -> str:
    """The page of an evidence document, as ``opentrail evidence`` writes it to JSON, all escaped."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = (files(__package__) / "data" / "evidence.html.j2").read_text()
    return environment.from_string(source).render(document)
