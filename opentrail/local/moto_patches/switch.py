"""The switch between moto's own behaviour and ours, and the runtime that ours calls."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Protocol

Build = Callable[[Callable[..., Any]], Callable[..., Any]]


class Hooks(Protocol):
    """What the runtime does in place of moto."""

    def invoke_function(
        self, function: Any, payload: bytes, headers: Mapping[str, str], answer_headers: dict[str, Any]
    ) -> bytes:
        """Run a Lambda function; ``function`` is moto's model of it."""

    def put_events(self, account: str, region: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Put entries of PutEvents on a bus; return one result per entry."""

    def publish(self, account: str, region: str, event: dict[str, Any], *, rules: list[Any] | None) -> None:
        """Deliver an event of another service; to ``rules`` only, or to all rules of the default bus."""

    def message_added(self, queue: Any) -> None:
        """Take note that moto's ``queue`` has a new message."""


_current: Hooks | None = None


def set_current(hooks: Hooks | None) -> None:
    """Make ``hooks`` serve moto; ``None`` gives moto back its own behaviour."""
    global _current
    _current = hooks


def current() -> Hooks | None:
    """Return the runtime that serves moto now."""
    return _current


def hooks() -> Hooks:
    """Return the runtime that serves moto now.

    Raises:
        RuntimeError: it was stopped while a call was under way.
    """
    if _current is None:
        raise RuntimeError("the laptop runtime was stopped during a call")
    return _current


def replace(owner: Any, name: str, build: Build) -> None:
    """Replace a function by ``build(original)``; without a runtime the original is called."""
    original = getattr(owner, name)
    replacement = build(original)

    @functools.wraps(original)
    def choose(*args: Any, **kwargs: Any) -> Any:
        return (original if _current is None else replacement)(*args, **kwargs)

    is_static = isinstance(vars(owner).get(name), staticmethod)
    setattr(owner, name, staticmethod(choose) if is_static else choose)
