"""Sources and what an installation adds to them, put together into one folder for one asset."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp

# As NOT_CODE of code_assets; this copy is made by ourselves, not by CDK.
LEFT_OUT = {
    Path("opentrail", name)
    for name in (
        "_deploy",
        "adapters/sigma",
        "branches/cost",
        "branches/doctor",
        "branches/evidence",
        "cli",
        "local",
        "testing",
    )
}
CLUTTER = ("__pycache__", "*.pyc", "requirements.*")
USER_PLAYBOOKS = "lambdas/remediation/user_playbooks"  # where lambdas/remediation looks
DETECTIONS = "lambdas/detections/compiled.json"  # where lambdas/detections looks


def bundle_code(root: Path, added: Mapping[str, Path | bytes]) -> Path:
    """Copy the sources and ``added``, folders and files by name, to a folder that lasts until synthesis ends.

    Not by CDK's bundling: it takes two assets of one source for one, whatever is put into them.
    """
    target = Path(mkdtemp(prefix="opentrail-code-"))
    atexit.register(shutil.rmtree, target, ignore_errors=True)
    clutter = shutil.ignore_patterns(*CLUTTER)

    def unwanted(directory: str, names: list[str]) -> set[str]:
        here = Path(directory).relative_to(root)
        return set(clutter(directory, names)) | {name for name in names if here / name in LEFT_OUT}

    for source in ("lambdas", "opentrail"):
        shutil.copytree(root / source, target / source, ignore=unwanted)
    for name, content in added.items():
        if isinstance(content, Path):
            shutil.copytree(content, target / name, ignore=clutter)
        else:
            (target / name).write_bytes(content)
    return target
