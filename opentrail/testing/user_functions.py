"""Functions that a test deployed through Lambda's API, run in this process.

Each has its own environment variables, credentials of its own role, default boto3
session, modules and working directory; they are in place while it runs and nobody
sees them at other times. Breakpoints, coverage and captured output work as in a test.
Timeouts and memory are not enforced.

One function runs at a time: what it needs belongs to the whole process.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import boto3

from opentrail.testing.code import split_handler

_running = threading.RLock()


class UserFunction:
    """An execution environment: the code as deployed, imported when it is first called."""

    def __init__(self, *, handler: str, code: Path, environment: Mapping[str, str]) -> None:
        """Take what Lambda would start a process with; nothing runs yet."""
        self._module_name, self._name = split_handler(handler)
        self._code = code
        self._environment = dict(environment)
        self._modules: dict[str, ModuleType] = {}
        self._session: Any = None

    def __call__(self, event: Any, context: Any) -> Any:
        """Handle one event; raises what the handler or its import raises."""
        with _running, self._inside():
            handler = getattr(import_module(self._module_name), self._name)
            return handler(event, context)

    @contextmanager
    def _inside(self) -> Iterator[None]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        with (
            patch.dict(os.environ, {**kept, **self._environment}, clear=True),
            patch.object(sys, "path", [str(self._code), *sys.path]),
            patch.object(boto3, "DEFAULT_SESSION", self._session),
            chdir(self._code),
            self._own_modules(),
        ):
            yield
            self._session = boto3.DEFAULT_SESSION

    @contextmanager
    def _own_modules(self) -> Iterator[None]:
        """Show the function its own modules, and hide those of others that have their names."""
        names = {path.stem for path in self._code.iterdir()}
        hidden = {name: sys.modules.pop(name) for name in _under(names)}
        sys.modules.update(self._modules)
        invalidate_caches()
        try:
            yield
        finally:
            self._modules = {name: sys.modules.pop(name) for name in _under(names)}
            sys.modules.update(hidden)


def _under(names: set[str]) -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] in names]
