"""A process that dies at a chosen AWS call, before or after the call took effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError


class Crash(BaseException):
    """The process is gone: nothing catches this."""


class Fuse:
    """Counts AWS calls over all clients and goes off at call number ``at`` (from 1; 0 = never)."""

    def __init__(self, at: int = 0, *, after: bool = False, refuse: bool = False) -> None:
        self.at = at
        self.after = after
        self.refuse = refuse  # AWS answers an error instead of the process dying
        self.calls = 0
        self.blown = False

    def run(self, call: Callable[[], Any], name: str) -> Any:
        self.calls += 1
        if self.calls != self.at:
            return call()
        self.blown = True
        if self.after:
            call()
        if self.refuse:
            raise ClientError({"Error": {"Code": "InternalError", "Message": "injected"}}, name)
        raise Crash(name)


class FusedClient:
    """A boto3 client whose every call goes through a fuse."""

    def __init__(self, client: Any, fuse: Fuse) -> None:
        self._client = client
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if not callable(method) or name == "exceptions":
            return method

        def call(**arguments: Any) -> Any:
            return self._fuse.run(lambda: method(**arguments), name)

        return call
