"""Template parameters that are numbers: what an operator may change without a new synthesis."""

from __future__ import annotations

from typing import cast

import aws_cdk as cdk


def number(
    stack: cdk.Stack, name: str, default: int, lowest: int, highest: int, description: str
) -> cdk.CfnParameter:
    """Return a whole number from ``lowest`` to ``highest`` that is chosen at deployment."""
    return cdk.CfnParameter(
        stack,
        name,
        type="Number",
        default=default,
        min_value=lowest,
        max_value=highest,
        description=description,
    )


def trail_cache_seconds(stack: cdk.Stack) -> cdk.CfnParameter:
    """Return the same parameter for every function that selects."""
    description = "How long a change of trails may go unnoticed by recording"
    return number(stack, "TrailCacheSeconds", 60, 0, 3600, description)


def as_setting(parameter: cdk.CfnParameter) -> int:
    """A number that is known at deployment; until then the settings carry its placeholder, a text."""
    return cast(int, parameter.value_as_string)


def as_duration(parameter: cdk.CfnParameter) -> cdk.Duration:
    """A time that is known at deployment."""
    return cdk.Duration.seconds(parameter.value_as_number)
