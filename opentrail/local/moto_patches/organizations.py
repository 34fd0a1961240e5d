"""Organizations: CloudTrail may have delegated administrators."""

from __future__ import annotations

CLOUDTRAIL = "cloudtrail.amazonaws.com"


def apply() -> None:
    """Correct Organizations. The list only grows, so it need not be given back."""
    from moto.organizations.models import FakeDelegatedAdministrator

    supported = FakeDelegatedAdministrator.SUPPORTED_SERVICES
    if CLOUDTRAIL not in supported:
        FakeDelegatedAdministrator.SUPPORTED_SERVICES = [*supported, CLOUDTRAIL]
