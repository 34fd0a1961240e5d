"""Dispatch: the list of moto's modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from opentrail.local.moto_patches.switch import replace


def apply() -> None:
    """Make moto's way to a service shorter."""
    from moto import backends

    # moto lists its own directory, and looks at every entry, twice for every call: half a millisecond.
    def list_of_moto_modules(original: Callable[[], Iterable[str]]) -> Callable[[], Iterable[str]]:
        return cache(lambda: tuple(original()))

    replace(backends, "list_of_moto_modules", list_of_moto_modules)
