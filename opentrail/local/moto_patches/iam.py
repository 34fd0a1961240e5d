"""IAM: ids, AWS's own policies, and the account of unknown keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
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

    # moto knows AWS's own policies only after loading all of them, for a second and 70 MB.
    def on_demand(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(backend: Any, policy_arn: str, *args: Any, **kwargs: Any) -> Any:
            _provide(backend, policy_arn)
            return original(backend, policy_arn, *args, **kwargs)

        return call

    for name in ("attach_user_policy", "attach_role_policy", "attach_group_policy", "get_policy"):
        replace(models.IAMBackend, name, on_demand)

    def list_policies(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(backend: Any, *args: Any, **kwargs: Any) -> Any:
            if kwargs.get("scope") != "Local" and not kwargs.get("only_attached"):
                _provide_all(backend)
            return original(backend, *args, **kwargs)

        return call

    replace(models.IAMBackend, "list_policies", list_policies)


@cache
def _aws_policies() -> dict[str, tuple[str, dict[str, Any]]]:
    # Imported here: the module is one string of five megabytes.
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    policies: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return {f"policy{data['Path']}{name}": (name, data) for name, data in policies.items()}


def _provide(backend: Any, policy_arn: str) -> None:
    """Put AWS's policy of that ARN into ``backend``, unless it is there or there is none."""
    from moto.iam.models import AWSManagedPolicy

    owner, _, resource = policy_arn.partition(":iam::aws:")
    if not owner or policy_arn in backend.managed_policies or resource not in _aws_policies():
        return
    name, data = _aws_policies()[resource]
    policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
    backend.aws_managed_policies.append(policy)
    backend.managed_policies[policy.arn] = policy


def _provide_all(backend: Any) -> None:
    for resource in _aws_policies():
        _provide(backend, f"arn:{backend.partition}:iam::aws:{resource}")


def set_default_account(account: str) -> None:
    """Say whose the requests with unknown keys are."""
    from moto.iam import models

    setattr(models, "DEFAULT_ACCOUNT_ID", account)  # noqa: B010 - moto does not export it
