"""Runtime + server + admin routes: one run of ``opentrail up``, from the first byte to the last."""

from __future__ import annotations

import os
from typing import TextIO

from opentrail.local.admin import Admin
from opentrail.local.runtime import Runtime
from opentrail.local.server import Server, announce, wait_for_end


def serve(runtime: Runtime, host: str, port: int, out: TextIO) -> None:
    """Start ``runtime`` behind a server, announce it on ``out``, and return after SIGINT or SIGTERM.

    The server answers before the deployment, because the functions' workers call it while they start.

    Raises:
        OSError: the address is taken.
        DeployError: the stacks cannot be deployed.
    """
    _forget_the_hosts_settings()
    try:
        server = Server(host, port, Admin(runtime, runtime))
        try:
            runtime.endpoint = server.url
            server.serve()
            runtime.start()
            announce(server.url, out)
            wait_for_end()
        finally:
            server.close()
    finally:
        runtime.stop()


def _forget_the_hosts_settings() -> None:
    # moto makes sessions of its own; a profile that is not on this machine would end them.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
