"""Talking to a running ``opentrail up``: plain HTTP to its admin routes."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import click

DEFAULT_ENDPOINT = "http://127.0.0.1:4566"
TIMEOUT_SECONDS = 900  # a flush waits for every function that has work to do

endpoint_option = click.option(
    "--endpoint",
    envvar="AWS_ENDPOINT_URL",
    default=DEFAULT_ENDPOINT,
    show_default=True,
    help="Where `opentrail up` answers; also read from AWS_ENDPOINT_URL.",
)


def call_admin(method: str, endpoint: str, route: str) -> dict[str, Any]:
    """Call an admin route and return its answer.

    Raises:
        click.ClickException: the server answered an error (exit code 1), or nothing we know
            answered there (exit code 2).
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never send loopback to a proxy
    try:
        request = urllib.request.Request(f"{endpoint.rstrip('/')}/_opentrail/{route}", method=method)
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return _parse(answer.read(), endpoint)
    except urllib.error.HTTPError as error:
        body = _parse(error.read(), endpoint)
        raise click.ClickException(str(body.get("error") or f"{endpoint} answered {error.code}")) from error
    except (OSError, ValueError) as error:
        raise _unreachable(endpoint, getattr(error, "reason", error)) from error


def _parse(content: bytes, endpoint: str) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except ValueError as error:
        raise _unreachable(endpoint, "what answers there is not `opentrail up`") from error
    return value if isinstance(value, dict) else {}


class _UnreachableError(click.ClickException):
    exit_code = 2


def _unreachable(endpoint: str, reason: object) -> _UnreachableError:
    return _UnreachableError(f"cannot reach OpenTrail at {endpoint}: {reason}. Is `opentrail up` running?")
