"""What a danger is to a test: how it is made, seen, and made impossible, by ordinary API calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from opentrail.testing.world import OpenTrail

EXCEPT = {"Key": "opentrail-remediation", "Value": "except"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One danger. ``name`` is the resource's, as ``make`` answered it.

    Attributes:
        make: a harmless resource; its argument is a word that no other test uses.
        endanger: the dangerous call, alone.
        is_dangerous: is the live resource dangerous?
        remove: takes the resource away; None when it cannot go.
        tag: excepts it; None when it has no tags.
        recorded: making it belongs to the story, as the playbook reads event history.
    """

    playbook: str
    make: Callable[[OpenTrail, str], str]
    endanger: Callable[[OpenTrail, str], object]
    is_dangerous: Callable[[OpenTrail, str], bool]
    remove: Callable[[OpenTrail, str], object] | None
    tag: Callable[[OpenTrail, str], object] | None
    recorded: bool = False


def failing(code: str, call: Callable[[], Any]) -> bool:
    """Does the call fail with ``code``?"""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            raise
        return True
    return False


def world_policy(action: str, resource: str) -> str:
    """A policy that lets everybody in."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
