"""An answer's bytes -> output members or an error, by botocore's own response parsers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, cast

from botocore.parsers import ResponseParser, ResponseParserFactory
from botocore.utils import parse_timestamp

from opentrail.local.call import Reply
from opentrail.local.capture.operation import Target, service_model
from opentrail.local.capture.tables import table
from opentrail.local.capture.wire import AnyCase

FIRST_ERROR_STATUS = 300  # S3 answers redirects and 304 as errors; no operation succeeds above 299


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failed call, in CloudTrail's words."""

    code: str
    message: str


@cache
def _parser(protocol: str) -> ResponseParser:
    factory = ResponseParserFactory()
    factory.set_parser_defaults(timestamp_parser=read_date)
    return factory.create_parser(protocol)


def read_date(value: Any) -> datetime:
    """A date of an answer; ISO 8601 texts are read directly, as botocore's own way is slow.

    Raises:
        ValueError: no date in any of the formats that services send.
    """
    if isinstance(value, str) and value[4:5] == "-":
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass  # a variant that botocore may know
    return parse_timestamp(value)


def failed(reply: Reply) -> bool:
    """Whether the call failed."""
    return reply.status >= FIRST_ERROR_STATUS


def read_output(target: Target, reply: Reply) -> dict[str, Any]:
    """The output members of a successful call, typed by the model; empty when it has none.

    Raises:
        botocore.parsers.ResponseParserError: the body is not what the protocol says.
    """
    parsed = _parser(target.protocol).parse(_as_dict(reply), target.model.output_shape)  # type: ignore[arg-type]
    parsed.pop("ResponseMetadata", None)
    return cast(dict[str, Any], parsed)


def read_failure(target: Target, reply: Reply) -> Failure:
    """errorCode and errorMessage of a failed call.

    A coded error of a query service gets its exception's name (``NoSuchEntity`` ->
    ``NoSuchEntityException``), EC2's get their prefix, denials the one name.

    Source: real records; ``errors.toml`` has the exceptions.
    """
    error = _parser(target.protocol).parse(_as_dict(reply), None).get("Error", {})  # type: ignore[arg-type]
    code, message = str(error.get("Code", "")), str(error.get("Message") or "")
    rules = table("errors")
    if not reply.body or code.isdigit():
        known = rules["status"].get(target.service, {}).get(str(reply.status))
        code, message = (known["code"], known["message"]) if known else (code, message)
    return Failure(code=spell_error(target.service, code, reply.status), message=message)


def read_error_body(reply: Reply) -> dict[str, Any] | None:
    """The JSON object that a failed call answered, or None when it answered something else."""
    try:
        body = json.loads(reply.body)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def is_unread(service: str, code: str) -> bool:
    """Whether a refused call's parameters were never read: records of such calls show null.

    Source: real records of denied and throttled calls; S3 and EC2 read theirs first.
    """
    rules = table("errors")
    return code in rules["unread"]["codes"] and service not in rules["unread"]["except"]


def spell_error(service: str, code: str, status: int) -> str:
    """CloudTrail's errorCode for a code on the wire."""
    rules = table("errors")
    if service in rules["prefix"]:
        return f"{rules['prefix'][service] if status < 500 else 'Server.'}{code}"
    if code in rules["alias"]:
        return str(rules["alias"][code])
    return code if service in rules["as_on_the_wire"] else _shape_names(service).get(code, code)


@cache
def _shape_names(service: str) -> Mapping[str, str]:
    """Error code on the wire -> the exception's name in the model."""
    shapes = service_model(service).error_shapes
    return {
        shape.metadata["error"]["code"]: shape.name
        for shape in shapes
        if shape.metadata.get("error", {}).get("code")
    }


def _as_dict(reply: Reply) -> dict[str, Any]:
    return {"body": reply.body, "headers": AnyCase(reply.headers), "status_code": reply.status}
