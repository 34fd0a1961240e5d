"""boto3 against a WSGI application in this process: no socket, no port."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from urllib3 import HTTPHeaderDict

ENDPOINT = "http://127.0.0.1:4566"
PLAIN = {"CONTENT_TYPE", "CONTENT_LENGTH"}


class Body(io.BytesIO):
    """What botocore reads an answer's body from."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def session_for(
    app: Any, *, access_key: str = "AKIAIOSFODNN7EXAMPLE", region: str = "us-east-1", token: str | None = None
) -> Any:
    """A boto3 session whose clients talk to ``app``."""
    session: Any = boto3.Session(
        aws_access_key_id=access_key,
        aws_secret_access_key="secret",
        aws_session_token=token,
        region_name=region,
    )
    session.events.register("before-send", sender(app))
    return session


def sender(app: Any) -> Callable[..., AWSResponse]:
    """The ``before-send`` hook."""

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        started: list[Any] = []
        chunks = app(
            environ_of(request), lambda status, headers, exc_info=None: started.extend((status, headers))
        )
        body = b"".join(chunks)
        return AWSResponse(request.url, int(started[0].split()[0]), headers_of(started[1]), Body(body))

    return send


def headers_of(pairs: list[tuple[str, str]]) -> Any:
    """Answer headers as botocore's own HTTP client gives them: any case."""
    return HTTPHeaderDict(pairs)


def environ_of(request: AWSPreparedRequest) -> dict[str, Any]:
    """The WSGI environment of a prepared request."""
    url = urlsplit(request.url)
    body = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    body = body.encode() if isinstance(body, str) else bytes(body)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote(url.path).encode().decode("latin-1"),
        "RAW_URI": url.path,
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": str(url.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": url.netloc,
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
    }
    headers: Any = request.headers
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        if key != "TRANSFER_ENCODING":
            environ[key if key in PLAIN else f"HTTP_{key}"] = (
                value.decode() if isinstance(value, bytes) else value
            )
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ
