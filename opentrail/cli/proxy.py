"""``opentrail proxy``: unchanged CloudTrail clients -> loopback -> the API in AWS, signed for it."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import click
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from botocore.session import Session
from botocore.utils import get_environ_proxies

from opentrail.errors import FormatError, SettingsError
from opentrail.execute_api import (
    ENDPOINT_VARIABLE,
    REGION_HEADER,
    Endpoint,
    Signature,
    as_cloudtrail,
    sign_anew,
)

MAX_BODY_BYTES = 10 << 20  # the most API Gateway takes (quota "Payload size")
_FORWARDED = ("content-type", "user-agent", "x-amz-target")
_RETURNED = ("content-type", "x-amzn-requestid")

Answer = tuple[int, dict[str, str], bytes]


class _Refusal(Exception):
    """The proxy answers this itself."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Proxy(ThreadingHTTPServer):
    """Signs CloudTrail requests anew with the credentials of ``session`` and sends them to ``endpoint``.

    It lends its credentials only to callers who signed with the same ones, unless
    ``any_caller``: other users of this machine reach a loopback port, too.
    """

    daemon_threads = True

    def __init__(
        self, endpoint: Endpoint, session: Session, port: int = 0, *, any_caller: bool = False
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self._endpoint = endpoint
        self._session = session
        self._any_caller = any_caller
        self._http = URLLib3Session(proxies=get_environ_proxies(endpoint.url))

    @property
    def url(self) -> str:
        """What clients set as AWS_ENDPOINT_URL_CLOUDTRAIL."""
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Pass one request on; ``headers`` have lower-case names. Never raises for what a caller sends."""
        try:
            return self._pass_on(headers, body)
        except _Refusal as refusal:
            said = json.dumps({"__type": refusal.code, "Message": str(refusal)}).encode()
            return refusal.status, {"content-type": "application/x-amz-json-1.1"}, said

    def _pass_on(self, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            signature = Signature.parse(headers.get("authorization", ""))
        except FormatError as error:
            raise _Refusal(403, "MissingAuthenticationTokenException", str(error)) from error
        credentials = self._credentials()
        self._check_caller(signature, credentials, headers, body)
        kept = {name: headers[name] for name in _FORWARDED if name in headers}
        request = sign_anew(
            self._endpoint, credentials, _operation(headers), {**kept, REGION_HEADER: signature.region}, body
        )
        try:
            reply = self._http.send(request)
        except BotoCoreError as error:
            message = f"{self._endpoint.url} does not answer: {error}"
            raise _Refusal(503, "ServiceUnavailable", message) from error
        status, content = as_cloudtrail(reply.status_code, reply.content)
        return status, {name: reply.headers[name] for name in _RETURNED if name in reply.headers}, content

    def _credentials(self) -> Any:
        credentials = self._session.get_credentials()
        if credentials is None:
            raise _Refusal(403, "UnrecognizedClientException", "The proxy finds no credentials of its own.")
        return credentials.get_frozen_credentials()

    def _check_caller(
        self, signature: Signature, credentials: Any, headers: Mapping[str, str], body: bytes
    ) -> None:
        if self._any_caller:
            return
        if signature.access_key != credentials.access_key:
            message = "The request is not signed with the credentials the proxy has."
            raise _Refusal(403, "UnrecognizedClientException", message)
        if not signature.is_of(credentials.secret_key, headers, body):
            message = "The signature does not fit the request and the proxy's credentials."
            raise _Refusal(403, "InvalidSignatureException", message)


def _operation(headers: Mapping[str, str]) -> str:
    found = re.fullmatch(r"[A-Za-z0-9_.]*CloudTrail_20131101\.([A-Za-z]+)", headers.get("x-amz-target", ""))
    if not found:
        raise _Refusal(404, "UnknownOperationException", "")
    return found[1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def do_POST(self) -> None:
        """Answer one call; they are all POST /."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True  # its body stays unread
            self.send_error(413)
            return
        body = self.rfile.read(int(length))
        status, headers, content = self.server.answer({k.lower(): v for k, v in self.headers.items()}, body)
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the proxy prints one line in all."""


@click.command()
@click.option(
    "--endpoint", envvar=ENDPOINT_VARIABLE, required=True, help="Output ApiUrl of the stack OpenTrailApi."
)
@click.option(
    "--port", default=4567, show_default=True, type=click.IntRange(0, 65535), help="0 picks a free one."
)
@click.option("--profile", help="Profile to take credentials from; by default as the aws-cli finds them.")
@click.option("--endpoint-region", default="", help="Region of the API, when its URL does not name it.")
@click.option(
    "--any-caller",
    is_flag=True,
    help="Also serve callers with other credentials: everyone on this machine then acts as you.",
)
def command(endpoint: str, port: int, profile: str | None, endpoint_region: str, any_caller: bool) -> None:
    """Let any CloudTrail client of this machine talk to OpenTrail in AWS, until Ctrl-C.

    Clients set AWS_ENDPOINT_URL_CLOUDTRAIL to what is printed, and use the same credentials:

    \b
      opentrail proxy --endpoint https://abc123.execute-api.us-east-1.amazonaws.com
      AWS_ENDPOINT_URL_CLOUDTRAIL=http://127.0.0.1:4567 aws cloudtrail describe-trails
    """
    try:
        proxy = Proxy(
            Endpoint.parse(endpoint, endpoint_region), Session(profile=profile), port, any_caller=any_caller
        )
    except (SettingsError, OSError) as error:
        raise click.ClickException(str(error)) from error
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with proxy:
        click.echo(f"OpenTrail proxy at {proxy.url}")
        try:
            proxy.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            return
