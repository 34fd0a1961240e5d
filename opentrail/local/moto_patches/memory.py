"""Memory: objects that nobody needs any more."""

from __future__ import annotations

from typing import Any

from opentrail.local.moto_patches.switch import current


def apply() -> None:
    """Let moto's objects go."""
    from moto.core.common_models import BaseModel

    # moto keeps every object it ever made for its web page: a leak in a server that runs for days.
    def new(cls: type[Any], *args: Any, **kwargs: Any) -> Any:
        instance = object.__new__(cls)
        if current() is None:
            cls.instances_tracked.append(instance)
        return instance

    setattr(BaseModel, "__new__", staticmethod(new))  # noqa: B010 - a method there
