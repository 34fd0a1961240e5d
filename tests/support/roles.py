"""Deployed functions whose parts a test builds itself, with clients that act as the function's role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from opentrail.local.functions import find_function
from opentrail.local.transport import Clients
from opentrail.testing.front import FRONT
from opentrail.testing.world import OpenTrail


def deployed(world: OpenTrail, name: str) -> Any:
    """Return a function, moto's model, by its name in the stacks' outputs: "Validate"."""
    arn_or_name = world.runtime.outputs[f"{name}FunctionName"]
    return find_function(arn_or_name, account=world.account, region=world.region)


def credentials_of(world: OpenTrail, function: Any) -> dict[str, str]:
    """Take on the function's role as Lambda does."""
    sts = world.runtime.lambda_clients("sts", account=world.account, region=world.region)
    answer = sts.assume_role(RoleArn=function.role, RoleSessionName=function.function_name[:64])
    found: dict[str, str] = answer["Credentials"]
    return found


def clients_as(world: OpenTrail, credentials: dict[str, str], endpoint: str = "http://127.0.0.1") -> Clients:
    """Return clients whose calls are judged as those of ``credentials``; they do not leave the process."""
    return Clients(
        FRONT,
        account=world.account,
        region=world.region,
        endpoint=lambda: endpoint,
        access_key=credentials["AccessKeyId"],
        secret_key=credentials["SecretAccessKey"],
        session_token=credentials["SessionToken"],
        act_as_account=False,
    )


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Requests that are answered need no line."""


@contextmanager
def served(credentials: dict[str, str]) -> Iterator[str]:
    """Serve the laptop on loopback, for what opens connections of its own, by ``credentials``."""
    server = make_server("127.0.0.1", 0, FRONT, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    names = {
        "AccessKeyId": "ACCESS_KEY_ID",
        "SecretAccessKey": "SECRET_ACCESS_KEY",
        "SessionToken": "SESSION_TOKEN",
    }
    with pytest.MonkeyPatch.context() as patch:
        for key, name in names.items():
            patch.setenv(f"AWS_{name}", credentials[key])
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
