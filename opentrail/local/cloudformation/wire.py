"""Answers and refusals in CloudFormation's query protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from moto.core.serialize import get_serializer_class

from opentrail.local.call import Reply
from opentrail.local.capture.operation import service_model

SERVICE = "cloudformation"
_NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


class Refusal(Exception):
    """What the API refuses: an error code of CloudFormation and its message."""

    def __init__(self, message: str, code: str = "ValidationError", status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def answer(operation: str, members: Mapping[str, Any]) -> Reply:
    """Return the answer of an operation; members with the value None are absent."""
    model = service_model(SERVICE).operation_model(operation)
    made = get_serializer_class(SERVICE, "query")(model).serialize(_without_none(members))
    body = made["body"]
    content = body.encode() if isinstance(body, str) else body
    return Reply(status=made["status_code"], headers={"Content-Type": "text/xml"}, body=content)


def refuse(refusal: Refusal) -> Reply:
    """Return the error answer."""
    body = (
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>Sender</Type><Code>{refusal.code}</Code>'
        f"<Message>{escape(str(refusal))}</Message></Error><RequestId></RequestId></ErrorResponse>"
    )
    return Reply(status=refusal.status, headers={"Content-Type": "text/xml"}, body=body.encode())


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_none(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value
