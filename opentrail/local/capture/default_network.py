"""The default VPC in an RDS answer, where the caller named no network and moto says nothing of it.

Source: RDS API reference, CreateDBInstance (DBSubnetGroupName: without one, the
instance is in the default VPC, with its default security group).
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.vpcs import VPC

DEFAULT = "default"


def with_default_network(answer: dict[str, Any], account: str, region: str) -> dict[str, Any]:
    """Name the default VPC's subnets and security group in ``answer``, where they are missing."""
    vpc = _default_vpc(account, region)
    if vpc is None:
        return answer
    group = answer.get("dBSubnetGroup")
    if isinstance(group, dict) and group.get("dBSubnetGroupName") == DEFAULT:
        group.setdefault("vpcId", vpc.id)
        group.setdefault("subnets", _subnets(account, region, vpc.id))
    if answer.get("vpcSecurityGroups") == []:
        answer["vpcSecurityGroups"] = [
            {"vpcSecurityGroupId": security_group.id, "status": "active"}
            for security_group in list(ec2_backends[account][region].groups[vpc.id].values())
            if security_group.name == DEFAULT
        ]
    return answer


def _default_vpc(account: str, region: str) -> VPC | None:
    vpcs = list(ec2_backends[account][region].vpcs.values())
    return next((vpc for vpc in vpcs if vpc.is_default in (True, "true")), None)


def _subnets(account: str, region: str, vpc: str) -> list[dict[str, Any]]:
    zones = list(ec2_backends[account][region].subnets.values())
    return [
        {
            "subnetIdentifier": subnet.id,
            "subnetAvailabilityZone": {"name": subnet.availability_zone},
            "subnetOutpost": {},
            "subnetStatus": "Active",
        }
        for zone in zones
        for subnet in list(zone.values())
        if subnet.vpc_id == vpc
    ]
