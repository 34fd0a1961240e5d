"""One laptop with IAM switched on, in this process, for the module."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from opentrail.local.runtime import Options
from opentrail.testing.world import OpenTrail, opened

Statement = dict[str, Any]
MakeUser = Callable[..., Callable[[str], Any]]
NUMBERS = count()


@pytest.fixture(scope="module")
def world() -> Iterator[OpenTrail]:
    """Return the laptop."""
    with opened(Options(iam=True)) as world:
        yield world


@pytest.fixture
def user(world: OpenTrail) -> MakeUser:
    """Make a user who may do what the statements say; return what makes its clients."""

    def make(*statements: Statement) -> Callable[[str], Any]:
        iam = world.client("iam")
        name = f"user-{next(NUMBERS)}"
        iam.create_user(UserName=name)
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
        credentials = iam.create_access_key(UserName=name)["AccessKey"]
        world.forget()
        return lambda service: world.client(service, credentials=credentials)

    return make


def allow(*actions: str, on: str | list[str] = "*", **more: Any) -> Statement:
    """Return an Allow statement."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}
