"""Exceptions from the rules checked at synthesis, each with its reason in words."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge(construct: IConstruct, rules: str | Sequence[str], reason: str) -> None:
    """Accept that ``construct`` breaks ``rules`` (``"AwsSolutions-S1"``), because of ``reason``."""
    for rule in [rules] if isinstance(rules, str) else rules:
        cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=rule, reason=reason))
