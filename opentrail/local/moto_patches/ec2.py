"""EC2: volumes that are detached without naming their instance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentrail.local.moto_patches.switch import replace


def apply() -> None:
    """Correct EC2."""
    from moto.ec2.models import EC2Backend

    # moto breaks without an instance id, which AWS needs for volumes of several instances only.
    def detach_volume(original: Callable[..., Any]) -> Callable[..., Any]:
        def detach(backend: Any, volume_id: str, instance_id: str | None, device_path: str) -> Any:
            attachment = backend.get_volume(volume_id).attachment
            if not instance_id and attachment:
                instance_id = attachment.instance.id
            return original(backend, volume_id, instance_id or "", device_path)

        return detach

    replace(EC2Backend, "detach_volume", detach_volume)
