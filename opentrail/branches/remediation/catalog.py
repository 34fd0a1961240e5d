"""All playbooks: those of the folder ``playbooks``, and those an installation adds."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator, Mapping
from importlib import util
from pathlib import Path

from opentrail.branches.remediation import playbooks
from opentrail.branches.remediation.playbook import Playbook
from opentrail.errors import SettingsError

ID = re.compile(r"[a-z][a-z0-9-]{2,19}")  # with prefix and Region it must fit a role's name, 64 characters
NAME = "PLAYBOOK"


def built_in() -> dict[str, Playbook]:
    """The playbooks that come with the product, by id, in the order of their files."""
    modules = (
        importlib.import_module(f"{playbooks.__name__}.{module.name}")
        for module in pkgutil.iter_modules(playbooks.__path__)
    )
    return {playbook.id: playbook for playbook in (getattr(module, NAME) for module in modules)}


def find(id_: str, folder: Path | None = None) -> Playbook:
    """The playbook ``id_``, built in or of ``folder``. Loads no other one when the names agree.

    Raises:
        SettingsError: there is none.
    """
    name = f"{playbooks.__name__}.{id_.replace('-', '_')}"
    if util.find_spec(name) is not None:
        built: Playbook = getattr(importlib.import_module(name), NAME)
        return built
    found = from_folder(folder).get(id_) if folder else None
    if found is None:
        raise SettingsError(f"there is no playbook {id_}")
    return found


def from_folder(folder: Path) -> dict[str, Playbook]:
    """The playbooks in the files of ``folder``, by id; each file has one, under the name ``PLAYBOOK``.

    Raises:
        SettingsError: the folder is none, or a file has no usable playbook.
    """
    if not folder.is_dir():
        raise SettingsError(f"{folder} is no folder of playbooks")
    found: dict[str, Playbook] = {}
    for path, playbook in _loaded(folder):
        if not isinstance(playbook, Playbook):
            raise SettingsError(f"{path} has no {NAME}")
        _check(path, playbook, found)
        found[playbook.id] = playbook
    return found


def _loaded(folder: Path) -> Iterator[tuple[Path, object]]:
    for path in sorted(folder.glob("*.py")):
        if path.name.startswith("_"):
            continue
        spec = util.spec_from_file_location(f"opentrail_user_playbooks.{path.stem}", path)
        if spec is None or spec.loader is None:  # pragma: no cover - every .py file has a loader
            raise SettingsError(f"{path} cannot be imported")
        module = util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look their module up
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # whatever its author's code raises
            raise SettingsError(f"{path}: {type(error).__name__}: {error}") from error
        yield path, getattr(module, NAME, None)


def _check(path: Path, playbook: Playbook, others: Mapping[str, Playbook]) -> None:
    if not ID.fullmatch(playbook.id):
        raise SettingsError(f"{path}: {playbook.id!r} is no id: 3 to 20 of a-z, 0-9 and hyphens")
    if playbook.id in others or playbook.id in built_in():
        raise SettingsError(f"{path}: there is a playbook {playbook.id} already")
    if playbook.fix is not None and (playbook.undo is None or not playbook.writes):
        raise SettingsError(f"{path}: what has a fix has an undo, and permissions to write")
