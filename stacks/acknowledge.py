"""Exceptions from the rules checked at synthesis, each with its reason in words."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Accept that ``construct`` breaks ``rule`` (``"AwsSolutions-S1"``), because of ``reason``."""
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=rule, reason=reason))
