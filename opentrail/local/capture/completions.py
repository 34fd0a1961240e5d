"""Members of an answer that depend on more than a table can say, by "service" or "service.Operation"."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from opentrail.local.call import Call
from opentrail.local.capture.default_network import with_default_network
from opentrail.local.capture.federation import with_claims
from opentrail.local.capture.launched import with_launch_facts
from opentrail.local.service_calls import LAMBDA

Complete = Callable[[dict[str, Any], Call], dict[str, Any]]

HOSTS_OF_CODE = ("ec2.amazonaws.com", LAMBDA)
FUNCTION_CHANGES = ("CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion")


def completion_of(service: str, operation: str) -> Complete:
    """What completes the answer of one operation."""
    return COMPLETIONS.get(f"{service}.{operation}") or COMPLETIONS.get(service) or _as_it_is


def _as_it_is(answer: dict[str, Any], call: Call) -> dict[str, Any]:
    return answer


def _in_default_network(answer: dict[str, Any], call: Call) -> dict[str, Any]:
    return with_default_network(answer, call.caller.account, call.region)


def _launched(answer: dict[str, Any], call: Call) -> dict[str, Any]:
    return with_launch_facts(answer)


def _claimed(answer: dict[str, Any], call: Call) -> dict[str, Any]:
    return with_claims(answer, call.parameters)


def _given_to_code(answer: dict[str, Any], call: Call) -> dict[str, Any]:
    """EC2 and Lambda take on roles for code of their users; real records of that name no session."""
    if call.caller.identity.get("invokedBy") in HOSTS_OF_CODE:
        answer.pop("assumedRoleUser", None)
    return answer


def _revised(answer: dict[str, Any], call: Call) -> dict[str, Any]:
    """A function has a new revision after each change, and a runtime version unless it is an image.

    Source: Lambda API reference, FunctionConfiguration. moto knows neither; the id of the
    request that changed the function stands for the revision, a digest for the version (UNCONFIRMED).
    """
    answer.setdefault("revisionId", call.request_id)
    if runtime := answer.get("runtime"):
        digest = hashlib.sha256(runtime.encode()).hexdigest()
        version = f"arn:aws:lambda:{call.region}::runtime:{digest}"
        answer.setdefault("runtimeVersionConfig", {"runtimeVersionArn": version})
    return answer


COMPLETIONS: dict[str, Complete] = {
    "ec2.RunInstances": _launched,
    "rds": _in_default_network,
    "sts.AssumeRole": _given_to_code,
    "sts.AssumeRoleWithWebIdentity": _claimed,
    **{f"lambda.{operation}": _revised for operation in FUNCTION_CHANGES},
}
