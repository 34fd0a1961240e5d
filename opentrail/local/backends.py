"""moto's state, read without creating any: asking its dictionaries makes a backend for every account seen."""

from __future__ import annotations

from typing import Any


def existing(backends: Any, account: str, region: str) -> Any:
    """Return moto's backend of that account and Region, or ``None`` where nobody has used one yet."""
    # dict.get on purpose: unlike [], it does not go through moto's __getitem__.
    of_account = dict.get(backends, account)
    return None if of_account is None else dict.get(of_account, region)


def every(backends: Any) -> list[Any]:
    """Return the backends of all accounts and Regions that are in use."""
    return [backend for of_account in list(backends.values()) for backend in list(of_account.values())]
