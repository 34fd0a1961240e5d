"""The admin routes, over a runtime that only takes notes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from opentrail.errors import StorageError
from opentrail.local.admin import Admin
from opentrail.local.transport import call_wsgi, wsgi_environ


class Runtime:
    def __init__(self) -> None:
        self.ready = True
        self.done: list[str] = []

    def flush(self, *, digest: bool = False) -> dict[str, int]:
        self.done.append(f"flush digest={digest}")
        return {"events": 1, "chunks": 2, "digests": 0, "failed": 0}

    def status(self) -> dict[str, Any]:
        return {"account": "123456789012"}

    def reset(self) -> None:
        self.done.append("reset")


class Broken(Runtime):
    def flush(self, *, digest: bool = False) -> dict[str, int]:
        raise StorageError("invoke digest: it failed")


def gateway(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b'"gateway"']


def ask(runtime: Runtime, method: str, path: str) -> tuple[int, Any]:
    environ = wsgi_environ(method, f"http://localhost{path}", {}, b"")
    status, _, body = call_wsgi(Admin(runtime, gateway), environ)
    return status, json.loads(body)


@pytest.mark.parametrize(
    ("query", "digest"), [("", False), ("?digest=1", True), ("?digest=true", True), ("?digest=0", False)]
)
def test_flush(query: str, digest: bool) -> None:
    runtime = Runtime()

    status, body = ask(runtime, "POST", f"/_opentrail/flush{query}")

    assert (status, body) == (200, {"events": 1, "chunks": 2, "digests": 0, "failed": 0})
    assert runtime.done == [f"flush digest={digest}"]


def test_failed_flush_says_why() -> None:
    assert ask(Broken(), "POST", "/_opentrail/flush") == (500, {"error": "invoke digest: it failed"})


def test_status_and_health() -> None:
    assert ask(Runtime(), "GET", "/_opentrail/status") == (200, {"account": "123456789012"})
    assert ask(Runtime(), "GET", "/_opentrail/health") == (200, {"status": "ok"})


def test_health_tells_when_it_is_too_early() -> None:
    runtime = Runtime()
    runtime.ready = False

    assert ask(runtime, "GET", "/_opentrail/health") == (200, {"status": "starting"})


def test_motos_reset_resets_us() -> None:
    runtime = Runtime()

    assert ask(runtime, "POST", "/moto-api/reset") == (200, {"status": "ok"})
    assert runtime.done == ["reset"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/_opentrail/flush"), ("POST", "/_opentrail/nothing"), ("GET", "/_opentrail/")],
)
def test_unknown_route_is_not_found(method: str, path: str) -> None:
    assert ask(Runtime(), method, path)[0] == 404


@pytest.mark.parametrize(("method", "path"), [("POST", "/"), ("GET", "/moto-api/data.json"), ("PUT", "/a/b")])
def test_everything_else_goes_to_the_gateway(method: str, path: str) -> None:
    assert ask(Runtime(), method, path) == (200, "gateway")
