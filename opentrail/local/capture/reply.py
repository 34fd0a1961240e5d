"""Answers: from a WSGI application, with the record's request id, to the client."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import msgspec

from opentrail.local.call import Reply

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

REQUEST_ID_HEADERS = frozenset({"x-amzn-requestid", "x-amz-request-id"})
XML_REQUEST_ID = re.compile(rb"<([Rr]equestI[dD])>[^<]*</")
UNANSWERED = "InternalFailure"  # a common error of every AWS API
XML_ERROR_FRAMES = {
    "query": "<ErrorResponse>{}<RequestId></RequestId></ErrorResponse>",
    "ec2": "<Response><Errors>{}</Errors><RequestId></RequestId></Response>",
    "rest-xml": "<ErrorResponse>{}<RequestId></RequestId></ErrorResponse>",
}
XML_PROTOCOLS = frozenset(XML_ERROR_FRAMES)


def call_application(application: WSGIApplication, environ: dict[str, Any]) -> Reply:
    """Run a WSGI application to its end and keep its whole answer."""
    started: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started.update(status=int(status.partition(" ")[0]), headers=headers)
        return lambda _: None

    chunks = application(environ, start)
    try:
        body = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    return Reply(status=started["status"], headers=dict(started["headers"]), body=body)


def unanswered(protocol: str, message: str) -> Reply:
    """The answer in moto's place when it raised: 501, which SDKs do not try again.

    The client gets a typed error of its protocol instead of a page of HTML.
    """
    if protocol in XML_PROTOCOLS:
        error = f"<Error><Code>{UNANSWERED}</Code><Message>{escape(message)}</Message></Error>"
        frame = XML_ERROR_FRAMES[protocol].format(error)
        return Reply(status=501, headers={"Content-Type": "text/xml"}, body=frame.encode())
    body = msgspec.json.encode({"__type": UNANSWERED, "message": message})
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": UNANSWERED}
    return Reply(status=501, headers=headers, body=body)


def is_web_page(reply: Reply) -> bool:
    """Whether this is the page that moto's web server answers for an operation moto has no route for."""
    return reply.status == HTTPStatus.NOT_FOUND and reply.body[:14].lower() == b"<!doctype html"


def with_request_id(reply: Reply, request_id: str, protocol: str) -> Reply:
    """The same answer with the record's request id, in its headers and in an XML body.

    EC2 answers name it first, query answers last (in ResponseMetadata).
    """
    headers = {name: value for name, value in reply.headers.items() if name.lower() not in REQUEST_ID_HEADERS}
    s3_like = protocol == "rest-xml"
    headers["x-amz-request-id" if s3_like else "x-amzn-RequestId"] = request_id
    body = (
        _replace_id(reply.body, request_id, last=protocol == "query")
        if protocol in XML_PROTOCOLS
        else reply.body
    )
    return Reply(status=reply.status, headers=headers, body=body)


def send(reply: Reply, start_response: StartResponse) -> Iterable[bytes]:
    """Answer the client; ``Content-Length`` is that of the body, except for answers without one."""
    headers = [(name, value) for name, value in reply.headers.items() if name.lower() != "content-length"]
    if reply.body or not _length_of(reply):
        headers.append(("Content-Length", str(len(reply.body))))
    else:
        headers.append(("Content-Length", _length_of(reply)))  # HEAD: the length of what GET would send
    start_response(f"{reply.status} {_phrase(reply.status)}", headers)
    return [reply.body]


def _replace_id(body: bytes, request_id: str, *, last: bool) -> bytes:
    matches = (
        list(XML_REQUEST_ID.finditer(body)) if last else [m for m in (XML_REQUEST_ID.search(body),) if m]
    )
    if not matches:
        return body
    match = matches[-1]
    return body[: match.start()] + b"<%s>%s</" % (match[1], request_id.encode()) + body[match.end() :]


def _length_of(reply: Reply) -> str:
    return next((value for name, value in reply.headers.items() if name.lower() == "content-length"), "")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
