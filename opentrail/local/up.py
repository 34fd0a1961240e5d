"""Runtime + server + admin routes: one run of ``opentrail up``, from the first byte to the last."""

from __future__ import annotations

import os
import threading
from typing import TextIO

from opentrail.local.admin import Admin
from opentrail.local.runtime import Runtime
from opentrail.local.server import Server, announce, until_signal


def serve(runtime: Runtime, host: str, port: int, out: TextIO) -> None:
    """Start ``runtime`` behind a server, announce it on ``out``, and return after SIGINT or SIGTERM.

    The server answers before the deployment, because the functions' workers call it while they start.

    Raises:
        OSError: the address is taken.
        DeployError: the stacks cannot be deployed.
    """
    _forget_the_hosts_settings()
    with until_signal():
        try:
            _run(runtime, Server(host, port, Admin(runtime, runtime)), out)
        finally:
            runtime.stop()


def _run(runtime: Runtime, server: Server, out: TextIO) -> None:
    try:
        runtime.endpoint = server.url
        server.serve()
        runtime.start()
        announce(server.url, out)
        threading.Event().wait()
    finally:
        server.close()


def _forget_the_hosts_settings() -> None:
    # moto makes sessions of its own; a profile that is not on this machine would end them.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
