"""What EC2 says of a new instance and moto does not.

Source: EC2 API reference, "Instance": ``groupSet`` repeats the groups of the primary
interface; ``cpuOptions`` is the instance type's default unless the caller chose.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPES

BOOT_MODE = "legacy-bios"  # of an AMI that names none; arm64 has UEFI only
PENDING = {"code": "pending", "message": "pending"}


def with_launch_facts(answer: dict[str, Any]) -> dict[str, Any]:
    """Complete every instance of a RunInstances answer."""
    for instance in answer.get("instancesSet", {}).get("items", ()):
        _complete(instance)
    return answer


def _complete(instance: dict[str, Any]) -> None:
    groups = [
        interface["groupSet"]
        for interface in instance.get("networkInterfaceSet", {}).get("items", ())
        if interface.get("groupSet")
    ]
    if groups and not instance.get("groupSet"):
        instance["groupSet"] = groups[0]
    if not instance.get("stateReason", {}).get("code"):
        instance["stateReason"] = dict(PENDING)
    arm = instance.get("architecture") == "arm64"
    instance.setdefault("currentInstanceBootMode", "uefi" if arm else BOOT_MODE)
    instance.setdefault("enaSupport", True)
    cores = INSTANCE_TYPES.get(instance.get("instanceType", ""), {}).get("VCpuInfo", {})
    if cores:
        instance.setdefault(
            "cpuOptions",
            {"coreCount": cores["DefaultCores"], "threadsPerCore": cores["DefaultThreadsPerCore"]},
        )
