"""The HTTP server: kept connections, bodies of every kind, an orderly end."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from opentrail.local.server import Server, until_signal


def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer what arrived, as JSON; some paths misbehave."""
    if environ["PATH_INFO"] == "/broken":
        raise RuntimeError("on purpose")
    status = "204 No Content" if environ["PATH_INFO"] == "/nothing" else "200 OK"
    headers = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
    start_response(status, [("Content-Type", "application/json"), ("X-Same", "1"), ("X-Same", "2")])
    body = b"" if environ["PATH_INFO"] == "/unread" else environ["wsgi.input"].read()
    answer = {"body": body.decode("latin-1"), "length": environ["CONTENT_LENGTH"], "headers": headers}
    return [] if status.startswith("204") else [json.dumps(answer).encode()]


@pytest.fixture
def connection() -> Iterator[http.client.HTTPConnection]:
    server = Server("127.0.0.1", 0, echo)
    server.serve()
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    yield client
    client.close()
    server.close()


def ask(connection: http.client.HTTPConnection, method: str, path: str, **request: Any) -> tuple[int, Any]:
    connection.request(method, path, **request)
    answer = connection.getresponse()
    content = answer.read()
    return answer.status, json.loads(content) if content and answer.status == 200 else content


def test_connection_is_kept_even_when_nobody_reads_the_body(connection: http.client.HTTPConnection) -> None:
    ask(connection, "POST", "/unread", body=b"x" * 100_000)
    port = connection.sock.getsockname()[1]

    status, answer = ask(connection, "POST", "/", body=b"second")

    assert (status, answer["body"]) == (200, "second")
    assert connection.sock.getsockname()[1] == port


def test_chunked_body_is_put_together(connection: http.client.HTTPConnection) -> None:
    _, answer = ask(connection, "PUT", "/", body=iter([b"one ", b"two"]), encode_chunked=True)

    assert (answer["body"], answer["length"]) == ("one two", "7")
    assert "TRANSFER_ENCODING" not in answer["headers"]


def test_error_of_the_application_is_an_answer(connection: http.client.HTTPConnection) -> None:
    assert ask(connection, "GET", "/broken") == (500, b"internal error\n")
    assert ask(connection, "GET", "/")[0] == 200


def test_answers_without_a_body(connection: http.client.HTTPConnection) -> None:
    assert ask(connection, "DELETE", "/nothing") == (204, b"")
    assert ask(connection, "HEAD", "/") == (200, b"")
    assert ask(connection, "GET", "/")[0] == 200


def test_repeated_headers_stay_apart(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()

    assert answer.headers.get_all("X-Same") == ["1", "2"]


def test_client_that_waits_for_100_continue_is_told_at_once(connection: http.client.HTTPConnection) -> None:
    with socket.create_connection(("127.0.0.1", connection.port), timeout=10) as raw:
        raw.sendall(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        interim = raw.recv(1000)
        raw.sendall(b"ok")
        answer = raw.recv(10_000)

    assert interim.startswith(b"HTTP/1.1 100 ")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"body": "ok"' in answer


def test_closed_server_listens_no_more() -> None:
    server = Server("127.0.0.1", 0, echo)
    server.serve()
    server.close()

    # Not by connecting: the system may give a client the freed port, which then talks to itself.
    assert server.socket.fileno() == -1


def test_taken_port_is_an_error(connection: http.client.HTTPConnection) -> None:
    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{connection.port}"):
        Server("127.0.0.1", connection.port, echo)


def test_url_is_one_that_clients_on_this_machine_can_use() -> None:
    server = Server("0.0.0.0", 0, echo)
    server.server_close()

    assert server.url == f"http://127.0.0.1:{server.port}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_block_wherever_it_is(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    done: list[str] = []

    with until_signal():
        try:
            os.kill(os.getpid(), number)
            threading.Event().wait(10)
            done.append("went on")
        finally:
            os.kill(os.getpid(), number)  # an impatient second one
            done.append("cleaned up")

    assert done == ["cleaned up"]
    assert signal.getsignal(number) is before


def test_errors_pass_through_the_block() -> None:
    with pytest.raises(ValueError, match="on purpose"), until_signal():
        raise ValueError("on purpose")
