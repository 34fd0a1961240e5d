"""A WSGI environment, read once: the request as it came over the wire."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from opentrail.local.service_calls import invoking_service

CHUNK_EXTENSION = b";"  # "5;chunk-signature=..." in a signed aws-chunked body
PLAIN_HEADERS = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """One HTTP request, with its body read.

    ``path`` is still percent-encoded, ``headers`` has lower-case names, ``body``
    is what the client sent after HTTP's own chunking was undone.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    host: str
    source_ip: str
    secure: bool  # the client spoke TLS to this endpoint
    invoked_by: str = ""  # the service that makes this call itself: "lambda.amazonaws.com"


class AnyCase(dict[str, str]):
    """Headers as parsers ask for them: by a name in any case."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in headers.items()})

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())


def read_wire(environ: dict[str, Any]) -> Wire:
    """Read the whole request; ``environ`` afterwards holds a fresh, complete body.

    A request with ``Transfer-Encoding: chunked`` is read to its end (werkzeug
    undoes the chunking and marks the stream as terminated); the next WSGI
    application sees a plain body with a ``Content-Length``.
    """
    body = _read_body(environ)
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    headers = read_headers(environ)
    service = invoking_service(environ)
    if service:
        headers["user-agent"] = service
    return Wire(
        method=environ["REQUEST_METHOD"],
        path=_raw_path(environ),
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        body=body,
        host=headers.get("host", ""),
        source_ip=service or environ.get("REMOTE_ADDR") or "127.0.0.1",
        secure=environ.get("wsgi.url_scheme") == "https",
        invoked_by=service,
    )


def read_headers(environ: Mapping[str, Any]) -> dict[str, str]:
    """Request headers by lower-case name, as WSGI keeps them."""
    headers = {
        key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key[:5] == "HTTP_"
    }
    for key, name in PLAIN_HEADERS.items():
        if environ.get(key):
            headers[name] = environ[key]
    return headers


def undo_aws_chunks(body: bytes) -> bytes:
    """The payload of an ``aws-chunked`` body, without chunk signatures and trailers.

    A body that is not so framed comes back unchanged.

    Source: S3 API reference, "Signature calculations: transferring payload in chunks".
    """
    payload, rest = bytearray(), body
    while rest:
        header, separator, rest = rest.partition(b"\r\n")
        size = _chunk_size(header)
        if not separator or size is None:
            return body
        if size == 0:
            break
        payload += rest[:size]
        rest = rest[size + 2 :]
    return bytes(payload)


def _chunk_size(header: bytes) -> int | None:
    try:
        return int(header.partition(CHUNK_EXTENSION)[0], 16)
    except ValueError:
        return None


def _read_body(environ: Mapping[str, Any]) -> bytes:
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    if length and not environ.get("HTTP_TRANSFER_ENCODING"):
        return bytes(stream.read(int(length)))
    if environ.get("wsgi.input_terminated"):
        return bytes(stream.read())
    return b""


def _raw_path(environ: Mapping[str, Any]) -> str:
    raw = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "")
    if not raw:
        return quote(environ.get("PATH_INFO", "/").encode("latin-1"), safe="/~!$&'()*+,;=:@%-._")
    if not raw.startswith("/"):
        raw = "/" + raw.split("://", 1)[-1].partition("/")[2]
    return raw.partition("?")[0]
