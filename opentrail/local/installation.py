"""Which of the deployed stacks are OpenTrail's own, and what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from opentrail.errors import StorageError
from opentrail.local.deployer.state import StackState
from opentrail.local.functions import find_function

MARK = "OpenTrail"  # in the Metadata of each template that `app.py` makes

# Stages whose cold start costs less than a worker that waits.
SELDOM_RUN = frozenset({"rotate", "validate"})


def is_own(stack: StackState) -> bool:
    """Return whether a stack is one of OpenTrail's, whoever deployed it and under whichever name."""
    metadata = stack.template.get("Metadata")
    return isinstance(metadata, dict) and MARK in metadata


def outputs_of(stacks: Iterable[StackState]) -> dict[str, str]:
    """Return the outputs of all, by name."""
    return {name: value for stack in stacks for name, value in stack.outputs.items()}


def functions_of(stacks: Iterable[StackState], *, account: str, region: str) -> list[Any]:
    """Return moto's functions of the Lambda functions in ``stacks`` that still exist."""
    names = [
        resource.made.physical_id
        for stack in stacks
        for resource in stack.resources.values()
        if resource.type_name == "AWS::Lambda::Function"
    ]
    found = []
    for name in names:
        try:
            found.append(find_function(name, account=account, region=region))
        except StorageError:
            continue
    return found


def is_seldom(function: Any) -> bool:
    """True for a function ``lambdas.<stage>.handler.handler`` that is not worth keeping warm."""
    return str(function.handler).split(".")[1:2] in [[stage] for stage in SELDOM_RUN]
