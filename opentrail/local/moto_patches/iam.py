"""IAM: ids, and the account of unknown keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentrail.local.moto_patches.switch import replace


def apply() -> None:
    """Correct IAM."""
    from moto.iam import models

    # moto's ids of users, groups and instance profiles lack IAM's prefixes.
    def with_prefix(prefix: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def build(original: Callable[..., Any]) -> Callable[..., Any]:
            def init(resource: Any, *args: Any, **kwargs: Any) -> None:
                original(resource, *args, **kwargs)
                resource.id = f"{prefix}{resource.id[:17].upper()}"

            return init

        return build

    replace(models.User, "__init__", with_prefix("AIDA"))
    replace(models.Group, "__init__", with_prefix("AGPA"))
    replace(models.InstanceProfile, "__init__", with_prefix("AIPA"))


def set_default_account(account: str) -> None:
    """Say whose the requests with unknown keys are."""
    from moto.iam import models

    setattr(models, "DEFAULT_ACCOUNT_ID", account)  # noqa: B010 - moto does not export it
