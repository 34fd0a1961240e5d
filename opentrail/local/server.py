"""The laptop's HTTP server: HTTP/1.1 with kept connections, one thread per connection.

werkzeug's own request handler closes the connection after every answer, because it
cannot tell whether the application read the whole body; here the body is read first.
"""

from __future__ import annotations

import io
import logging
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer

from opentrail.local.transport import call_wsgi

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

IDLE_SECONDS = 120.0  # an unused connection is closed after this
_BACKLOG = 128

log = logging.getLogger(__name__)


class RequestHandler(MotoRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave together, or every call waits for a delayed acknowledgement

    def handle_expect_100(self) -> bool:
        """Tell a client that waits (S3 uploads do, for up to a second) to send its body."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def run_wsgi(self) -> None:
        """Answer one request; the connection stays open unless the client wants it closed."""
        environ = self.make_environ()
        if not environ.get("CONTENT_LENGTH", "0").isdecimal():
            self.close_connection = True  # nobody knows where the next request begins
            self._write(400, [("Content-Type", "text/plain")], b"bad Content-Length\n")
            return
        environ["wsgi.input"] = io.BytesIO(self._read_body(environ))
        try:
            status, headers, body = call_wsgi(self.server.app, environ)
        except Exception:  # one request must not end the server
            log.exception("%s %s", self.command, self.path)
            self._write(500, [("Content-Type", "text/plain")], b"internal error\n")
            return
        self._write(status, [(name, value) for name, value in headers.items()], body)

    def _read_body(self, environ: dict[str, Any]) -> bytes:
        source = environ["wsgi.input"]
        if environ.get("wsgi.input_terminated"):  # chunked: werkzeug gives a stream that ends
            body: bytes = source.read()
        else:
            body = source.read(int(environ.get("CONTENT_LENGTH") or 0))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input_terminated"] = True
        return body

    def _write(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        without_body = self.command == "HEAD" or status in (204, 304)
        sent = {name.lower() for name, _ in headers}
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {"connection", "transfer-encoding"} and not (
                name.lower() == "content-length" and not without_body
            ):
                self.send_header(name, value)
        if "date" not in sent:
            self.send_header("Date", self.date_time_string())
        if not without_body or (self.command == "HEAD" and "content-length" not in sent):
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if not without_body:
            self.wfile.write(body)
        self.wfile.flush()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the server prints one line in all."""

    def log_error(self, format: str, *args: Any) -> None:
        """Connections that time out or break are everyday."""
        log.debug(format, *args)


class Server(ThreadedWSGIServer):
    """Listens from the moment it is made; ``serve`` answers.

    Raises:
        OSError: the address is taken, or not this machine's.
    """

    daemon_threads = True

    def __init__(self, host: str, port: int, app: WSGIApplication) -> None:
        self._thread: threading.Thread | None = None
        # Listening here and not in werkzeug, which prints advice and exits when the port is taken.
        with _listen(host, port) as listener:
            super().__init__(host, port, app, handler=RequestHandler, fd=listener.fileno())

    @property
    def url(self) -> str:
        """Where clients on this machine reach it."""
        host = self.server_address[0]
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(str(host), str(host))
        return f"http://{host}:{self.port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what broke a connection; a client that went away is no error."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | socket.timeout):
            log.exception("connection from %s", client_address)

    def serve(self) -> None:
        """Answer in a background thread until ``close``."""
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True, name="http")
        self._thread.start()

    def close(self) -> None:
        """Stop answering and free the port."""
        if self._thread is not None:  # shutdown waits for ever for a server that never served
            self.shutdown()
        self.server_close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener


class _EndedError(BaseException):
    """SIGINT or SIGTERM arrived; no handler of errors may take it for one."""


@contextmanager
def until_signal() -> Iterator[None]:
    """Run the block until it ends or SIGINT or SIGTERM arrives. Only for the main thread.

    The signal interrupts the block wherever it is, so that its ``finally`` clauses clean up,
    and is no error. Further signals do not disturb the cleaning up.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise _EndedError

    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    except _EndedError:
        log.info("ended by a signal")
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def announce(url: str, out: TextIO) -> None:
    """Print the one line scripts wait for."""
    out.write(f"OpenTrail ready at {url}\n")
    out.flush()
