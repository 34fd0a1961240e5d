"""boto3 clients whose requests go straight into a WSGI application, without a socket.

Used below the gateway for the runtime's own work (never recorded), and above it
by the pytest plugin (recorded like any other caller).
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.loaders import Loader

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "localhost"  # moto takes the first label of most other names for a bucket
ACCOUNT_HEADER = "x-moto-account-id"

# One loader for every session: parsing a service model is the dear part of making a client.
_LOADER = Loader()
# The user's profile must not reach clients that never leave the process.
_NOTHING_OF_THE_HOST = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
_CONFIG = Config(
    retries={"total_max_attempts": 1},
    s3={"addressing_style": "path"},
    parameter_validation=True,
    user_agent_extra="opentrail-runtime",
)


class Clients:
    """Makes boto3 clients that call ``app`` in-process, each made once.

    Call it with a service name: ``clients("s3")``, ``clients("sqs", region="eu-west-1",
    account="111122223333")``. A client of another account than ``account`` carries moto's
    account header, so it acts there without credentials of that account; give
    ``act_as_account=False`` when ``app`` is the gateway, which resolves callers itself.
    ``endpoint()`` is asked when a client is made; its host shows up in queue URLs.

    Safe to share between threads.
    """

    def __init__(
        self,
        app: WSGIApplication,
        *,
        account: str,
        region: str,
        endpoint: Callable[[], str] = lambda: f"http://{HOST}",
        access_key: str = "AKIAOPENTRAILRUNTIME",
        secret_key: str = "opentrail",
        session_token: str | None = None,
        act_as_account: bool = True,
    ) -> None:
        self.account = account
        self.region = region
        self._app = app
        self._endpoint = endpoint
        self._credentials = (access_key, secret_key, session_token)
        self._act_as_account = act_as_account
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str, str], Any] = {}

    def __call__(self, service: str, *, region: str = "", account: str = "") -> Any:
        """Return the client of ``service`` in ``region`` and ``account`` (default: the runtime's own)."""
        key = (service, region or self.region, account or self.account)
        client = self._made.get(key)
        if client is None:
            # botocore sessions may not be used by two threads at once.
            with self._lock:
                client = self._made.get(key) or self._make(*key)
                self._made[key] = client
        return client

    def _make(self, service: str, region: str, account: str) -> Any:
        access_key, secret_key, token = self._credentials
        # Typed loosely: the stubs know a client only by the literal name of its service.
        session: Any = in_process_session(
            self._app, region=region, headers={ACCOUNT_HEADER: account} if self._act_as_account else {}
        )
        return session.client(
            service,
            region_name=region,
            endpoint_url=self._endpoint(),
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            aws_session_token=token,
            config=_CONFIG,
        )


def in_process_session(
    app: WSGIApplication, *, region: str, headers: dict[str, str] | None = None
) -> boto3.Session:
    """Return a session whose clients call ``app`` instead of the network.

    Clients need an ``endpoint_url`` with ``http``; its host reaches the application as ``Host``.
    ``headers`` are added to every request after it was signed.
    """
    from botocore.session import Session

    core: Any = Session(session_vars=_NOTHING_OF_THE_HOST)
    core.register_component("data_loader", _LOADER)
    core.register("before-send.*", _sender(app, headers or {}))
    return boto3.Session(botocore_session=core, region_name=region)


def _sender(app: WSGIApplication, headers: dict[str, str]) -> Callable[..., AWSResponse]:
    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        return send_request(app, request, headers)

    return send


def send_request(
    app: WSGIApplication, request: AWSPreparedRequest, headers: dict[str, str] | None = None
) -> AWSResponse:
    """Give one prepared botocore request to ``app`` and return its answer as botocore expects it."""
    all_headers = {**dict(request.headers), **(headers or {})}
    environ = wsgi_environ(request.method, request.url, all_headers, request.body)
    status, answer_headers, body = call_wsgi(app, environ)
    return AWSResponse(request.url, status, answer_headers, _RawBody(body))


def wsgi_environ(method: str, url: str, headers: dict[str, Any], body: Any) -> dict[str, Any]:
    """Build a WSGI environment (PEP 3333) from the parts of a request.

    Header values may be ``bytes``, as botocore has them; ``body`` may be ``None``, text,
    bytes or a file.
    """
    parts = urlsplit(url)
    content = _read_body(body)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path or "/").decode("latin-1"),
        "RAW_URI": parts.path + (f"?{parts.query}" if parts.query else ""),
        "REQUEST_URI": parts.path + (f"?{parts.query}" if parts.query else ""),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname or HOST,
        "SERVER_PORT": str(parts.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "HTTP_HOST": parts.netloc,
    }
    for name, value in headers.items():
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = text
    environ["CONTENT_LENGTH"] = str(len(content))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ.pop("HTTP_EXPECT", None)
    return environ


def call_wsgi(app: WSGIApplication, environ: dict[str, Any]) -> tuple[int, HTTPHeaders, bytes]:
    """Call ``app`` once and return status code, headers and the whole body."""
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        started.append((status, headers))
        return written.append

    chunks = app(environ, start_response)
    try:
        written.extend(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    status, headers = started[-1]
    message = HTTPHeaders()
    for name, value in headers:
        message[name] = value
    return int(status.split(" ", 1)[0]), message, b"".join(written)


def _read_body(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    content = body.read()
    return content if isinstance(content, bytes) else content.encode()


class _RawBody(io.BytesIO):
    """What botocore asks of an urllib3 response: a readable body that can be streamed."""

    def stream(self, amt: int = 65536, decode_content: bool | None = None) -> Iterator[bytes]:
        while chunk := self.read(amt):
            yield chunk

    def release_conn(self) -> None:
        """Nothing to give back: there was no connection."""
