"""Lambda's Invoke API: how it is called decides what it answers.

Source: Lambda API reference, "Invoke".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from opentrail.local.asynchronous import AsyncInvoker
from opentrail.local.functions import MAX_PAYLOAD_BYTES, FunctionRunner, log_tail
from opentrail.local.targets import MAX_EVENT_BYTES


def answer_invocation(
    functions: FunctionRunner,
    asynchronous: AsyncInvoker,
    function: Any,
    payload: bytes,
    headers: Mapping[str, str],
    answer_headers: dict[str, Any],
) -> bytes:
    """Run ``function`` (moto's model) the way ``headers`` (lower-case names) ask and return the body.

    ``RequestResponse`` waits for the answer, ``Event`` queues, ``DryRun`` does neither. No headers
    at all means one of moto's services (S3, SNS, Logs, streams) calls, which on AWS is asynchronous.
    """
    kind = headers.get("x-amz-invocation-type", "RequestResponse") if headers else "Event"
    if kind == "DryRun":
        return b""
    limit = MAX_EVENT_BYTES if kind == "Event" else MAX_PAYLOAD_BYTES
    _check_payload(payload, limit)
    if kind == "Event":
        asynchronous.submit(function, payload)
        # moto's stream triggers take any body for success.
        return b"" if headers else b"{}"
    answer = functions.invoke(function, payload)
    answer_headers["x-amz-executed-version"] = "$LATEST"
    if answer.error:
        answer_headers["x-amz-function-error"] = answer.error
    if headers.get("x-amz-log-type") == "Tail":
        answer_headers["x-amz-log-result"] = log_tail(answer)
    return answer.payload


def _check_payload(payload: bytes, limit: int) -> None:
    from moto.core.exceptions import JsonRESTError

    if len(payload) > limit:
        error = JsonRESTError(
            "RequestTooLargeException",
            f"Request must be smaller than {limit} bytes for the InvokeFunction operation",
        )
        error.code = 413
        raise error
    if payload:
        try:
            json.loads(payload)
        except ValueError as problem:
            raise JsonRESTError(
                "InvalidRequestContentException", f"Could not parse request body into json: {problem}"
            ) from problem
