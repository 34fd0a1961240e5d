"""Corrections of moto 5.2.5, applied once per process and active only while a runtime is installed.

Each entry names what moto does and what AWS does. Every one has a test in
``tests/adapters/local/test_moto_patches.py`` that also checks moto's own
behaviour, so that it fails when moto is corrected and the entry can go.

The patched classes are global, so the runtime they serve is too: ``install`` makes
one runtime the current one, ``uninstall`` gives moto back its own behaviour.
"""

from __future__ import annotations

import threading

from opentrail.local.moto_patches import (
    config,
    dispatch,
    dynamodb,
    ec2,
    events,
    functions,
    iam,
    kms,
    logs,
    memory,
    organizations,
    s3,
    sqs,
)
from opentrail.local.moto_patches.switch import Hooks, current, set_current

MOTO_ACCOUNT = "123456789012"  # moto's own default

_applied = False
_apply_lock = threading.Lock()


def install(hooks: Hooks, *, default_account: str) -> None:
    """Make ``hooks`` serve moto; requests with unknown keys belong to ``default_account``."""
    global _applied
    with _apply_lock:
        if not _applied:
            for service in (
                s3,
                sqs,
                dynamodb,
                ec2,
                functions,
                events,
                kms,
                iam,
                organizations,
                config,
                logs,
                memory,
                dispatch,
            ):
                service.apply()
            _applied = True
    iam.set_default_account(default_account)
    set_current(hooks)


def uninstall(hooks: Hooks) -> None:
    """Give moto back its own behaviour, unless another runtime took over in the meantime."""
    if current() is hooks:
        set_current(None)
        iam.set_default_account(MOTO_ACCOUNT)


__all__ = ["Hooks", "install", "uninstall"]
