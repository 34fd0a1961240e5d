"""Directory -> zip archive whose bytes depend on nothing but the files' names, contents and execute bits."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Final

EARLIEST_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)  # the format's epoch, so that no build time gets in
_FILE: Final = 0o100644
_EXECUTABLE: Final = 0o100755
_UNIX: Final = 3  # ZipInfo.create_system; otherwise it would name the building machine's system


def zip_directory(root: Path) -> bytes:
    """Return a zip of every file below ``root``, in the order of their names.

    Symbolic links are followed, as the CDK's own packager does. Empty
    directories leave no trace.
    """
    buffer = io.BytesIO()
    files = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EARLIEST_ZIP_TIME)
            entry.create_system = _UNIX
            entry.external_attr = _mode(files[name]) << 16
            archive.writestr(entry, files[name].read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _mode(path: Path) -> int:
    return _EXECUTABLE if path.stat().st_mode & 0o100 else _FILE
