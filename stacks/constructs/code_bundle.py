"""Sources and an installation's own playbooks, put together into one folder for one asset."""

from __future__ import annotations

import atexit
import shutil
from pathlib import Path
from tempfile import mkdtemp

# As NOT_CODE of code_assets; this copy is made by ourselves, not by CDK.
LEFT_OUT = {"_deploy", "cli", "local", "testing"}
CLUTTER = ("__pycache__", "*.pyc", "requirements.*")
USER_PLAYBOOKS = "user_playbooks"  # where lambdas/remediation looks


def bundle_code(root: Path, playbooks: Path) -> Path:
    """Copy both to a folder that lasts until the synthesis ends, and return it.

    Not by CDK's bundling: it takes two assets of one source for one, whatever is put into them.
    """
    target = Path(mkdtemp(prefix="opentrail-code-"))
    atexit.register(shutil.rmtree, target, ignore_errors=True)
    clutter = shutil.ignore_patterns(*CLUTTER)

    def unwanted(directory: str, names: list[str]) -> set[str]:
        at_top = Path(directory) == root / "opentrail"
        return set(clutter(directory, names)) | (LEFT_OUT & set(names) if at_top else set())

    shutil.copytree(root / "lambdas", target / "lambdas", ignore=clutter)
    shutil.copytree(root / "opentrail", target / "opentrail", ignore=unwanted)
    shutil.copytree(playbooks, target / USER_PLAYBOOKS, ignore=clutter)
    return target
