"""Organizations: CloudTrail may have delegated administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentrail.local.moto_patches.switch import replace

CLOUDTRAIL = "cloudtrail.amazonaws.com"


def apply() -> None:
    """Correct Organizations."""
    from moto.organizations.models import FakeDelegatedAdministrator

    # moto's list of the services that can be delegated lacks CloudTrail.
    def supported_service(original: Callable[..., Any]) -> Callable[..., Any]:
        def is_supported(service_principal: str) -> bool:
            return service_principal == CLOUDTRAIL or bool(original(service_principal))

        return is_supported

    replace(FakeDelegatedAdministrator, "supported_service", supported_service)
