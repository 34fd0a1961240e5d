"""The playbooks of an installation, as the stack sees them: which events, which permissions.

The one place where stacks look into the product: who writes a playbook says there what it
needs, and rule and role are made of that.
"""

from __future__ import annotations

from pathlib import Path

from opentrail.branches.remediation.catalog import built_in, from_folder
from opentrail.branches.remediation.playbook import Permission, Playbook

__all__ = ["Permission", "Playbook", "playbooks"]


def playbooks(folder: str) -> list[Playbook]:
    """All built-in playbooks and those of ``folder``; "" means no folder.

    Raises:
        SettingsError: the folder has a file without a usable playbook.
    """
    added = from_folder(Path(folder)) if folder else {}
    return [*built_in().values(), *added.values()]
