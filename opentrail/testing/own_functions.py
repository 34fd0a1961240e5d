"""OpenTrail's own functions, run in this process: settings and clients in, the handler's answer out.

The handlers are the deployed ones. Their parts are built by their ``build`` from the
deployed environment and clients below the gateway; what Lambda and Powertools put around
a handler stays out, and its log goes to Python's.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

from opentrail.testing.code import load_privately, split_handler, unzipped

Clients = Callable[..., Any]
Handler = Callable[[dict[str, Any], Any], Any]


class OwnFunction:
    """One deployed function of OpenTrail, ready to be called."""

    def __init__(self, function: Any, clients: Clients) -> None:
        """``function`` is moto's model; ``clients`` answers a client for a service name."""
        module_name, name = split_handler(function.handler)
        self._module = _load(module_name, unzipped(function, only="lambdas/"))
        settings = get_type_hints(self._module.build)["settings"]
        self._parts = self._module.build(settings.from_env(function.environment_vars or {}), clients)
        self._handler: Handler = inspect.unwrap(getattr(self._module, name))

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        """Handle one event; raises what the handler raises."""
        # The module is one for all tests, its parts belong to one.
        vars(self._module)["wired"] = lambda: self._parts
        return self._handler(event, context)


@cache
def _load(name: str, directory: Path) -> ModuleType:
    module = load_privately(f"opentrail.testing.deployed.{name}", directory / f"{name.replace('.', '/')}.py")
    vars(module).update(logger=_Log(name), metrics=_Unmeasured())
    return module


class _Log:
    """Takes what handlers tell Powertools' logger (text and fields) to Python's logging."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(f"opentrail.{name}")

    def debug(self, message: str, **fields: Any) -> None:
        self._logger.debug("%s %s", message, fields)

    def info(self, message: str, **fields: Any) -> None:
        self._logger.info("%s %s", message, fields)

    def warning(self, message: str, **fields: Any) -> None:
        self._logger.warning("%s %s", message, fields)

    def error(self, message: str, **fields: Any) -> None:
        self._logger.error("%s %s", message, fields)

    def exception(self, message: str, **fields: Any) -> None:
        self._logger.exception("%s %s", message, fields)


class _Unmeasured:
    """There is nobody to look at metrics."""

    def add_metric(self, **_: Any) -> None:
        """Take no note."""
