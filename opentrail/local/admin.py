"""The admin routes in front of the gateway: ``/_opentrail/...``, and moto's reset, which resets us too."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs

from opentrail.errors import OpenTrailError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

Route = Callable[[dict[str, list[str]]], dict[str, Any]]


class Operated(Protocol):
    """What the admin routes drive."""

    ready: bool  # everything is deployed and polled

    def flush(self, *, digest: bool = False) -> dict[str, int]:
        """Drain the pipeline and return the counts."""

    def status(self) -> dict[str, Any]:
        """Return everything there is to know."""

    def reset(self) -> None:
        """Forget everything and deploy afresh."""


class Admin:
    """A WSGI application: its own routes, everything else to ``app``.

    | route | answers |
    |---|---|
    | ``POST /_opentrail/flush?digest=1`` | counts of ``events``, ``chunks``, ``insights``... |
    | ``GET /_opentrail/status`` | counters, queues, workers, outputs |
    | ``GET /_opentrail/health`` | ``{"status": "ok"}``, or ``"starting"`` until everything is deployed |
    | ``POST /moto-api/reset`` | ``{"status": "ok"}`` after a fresh deployment |
    """

    def __init__(self, runtime: Operated, app: WSGIApplication) -> None:
        self._app = app
        self._routes: dict[tuple[str, str], Route] = {
            ("POST", "/_opentrail/flush"): lambda query: runtime.flush(digest=_is_on(query, "digest")),
            ("GET", "/_opentrail/status"): lambda _: runtime.status(),
            ("GET", "/_opentrail/health"): lambda _: {"status": "ok" if runtime.ready else "starting"},
            ("POST", "/moto-api/reset"): lambda _: _reset(runtime),
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        route = self._routes.get((environ["REQUEST_METHOD"], path))
        if route is None and not path.startswith("/_opentrail/"):
            return self._app(environ, start_response)
        status, body = self._answer(route, environ.get("QUERY_STRING", ""))
        content = json.dumps(body).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
        return [content]

    def _answer(self, route: Route | None, query: str) -> tuple[str, dict[str, Any]]:
        if route is None:
            return "404 Not Found", {"error": "no such route"}
        try:
            return "200 OK", route(parse_qs(query))
        except OpenTrailError as error:
            log.warning("admin: %s", error)
            return "500 Internal Server Error", {"error": str(error)}


def _is_on(query: dict[str, list[str]], name: str) -> bool:
    return query.get(name, ["0"])[-1].lower() in {"1", "true", "yes"}


def _reset(runtime: Operated) -> dict[str, Any]:
    runtime.reset()
    return {"status": "ok"}
