"""The code of deployed functions: unzipped once per test run, loaded as Lambda would find it."""

from __future__ import annotations

import atexit
import importlib.util
import io
import sys
import zipfile
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from types import ModuleType
from typing import Any

from opentrail.errors import StorageError


@cache
def _directory() -> Path:
    directory = mkdtemp(prefix="opentrail-")
    atexit.register(rmtree, directory, ignore_errors=True)
    return Path(directory)


def unzipped(function: Any, *, only: str = "") -> Path:
    """Return a directory with the package of ``function`` (moto's model), or its files under ``only``."""
    target: Path = _directory() / function.code_digest[-16:] / (only.strip("/") or "all")
    if not target.exists():
        with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as package:
            package.extractall(target, [name for name in package.namelist() if name.startswith(only)])
    return target


def split_handler(handler: str) -> tuple[str, str]:
    """Return module and function of ``package/module.function``.

    Raises:
        StorageError: it has no dot; code ``Runtime.MalformedHandlerName``.
    """
    module, dot, function = handler.rpartition(".")
    if not dot:
        raise StorageError(f"Bad handler '{handler}'", "Runtime.MalformedHandlerName")
    return module.replace("/", "."), function


def load_privately(name: str, path: Path) -> ModuleType:
    """Run the module at ``path`` under a name of our own, so that it is nobody else's module.

    Raises:
        StorageError: there is no such file.
    """
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise StorageError(f"the deployed code has no {path.name} for {name}", "Runtime.ImportModuleError")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
