"""One laptop in this process for the module, with CloudFormation's API and every record it leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from opentrail.local.runtime import Options
from opentrail.testing.world import OpenTrail, opened

QUEUE = {"Type": "AWS::SQS::Queue"}


@pytest.fixture(scope="module")
def world() -> Iterator[OpenTrail]:
    """Return the laptop."""
    with opened(Options()) as world:
        yield world


@pytest.fixture
def api(world: OpenTrail) -> Any:
    """Return a client of CloudFormation; records of earlier tests are forgotten."""
    world.forget()
    return world.client("cloudformation")


def template(resources: dict[str, Any], **sections: Any) -> str:
    """Return a template's text."""
    return json.dumps({"Resources": resources, **sections})


def queue(**properties: Any) -> dict[str, Any]:
    """Return a queue as a template has it."""
    return {**QUEUE, "Properties": properties}


def status(api: Any, name: str) -> str:
    """Return a stack's status."""
    found: str = api.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    return found
