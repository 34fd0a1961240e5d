"""A security group lets the whole internet reach an administrator's port, or every port."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentrail.branches.remediation.networks import is_worldwide
from opentrail.branches.remediation.playbook import (
    Cloud,
    Danger,
    Permission,
    Playbook,
    Record,
    Target,
    calls,
    parameters,
    tag_map,
    target_at,
)

# CIS asks for SSH and RDP; the others give a shell or a database to whoever has the password.
ADMIN_PORTS = {
    22: "SSH",
    23: "telnet",
    1433: "SQL Server",
    1521: "Oracle",
    2375: "Docker",
    3306: "MySQL",
    3389: "RDP",
    5432: "PostgreSQL",
    5900: "VNC",
    5985: "WinRM",
    5986: "WinRM",
    6379: "Redis",
    9200: "Elasticsearch",
    27017: "MongoDB",
}
PORTED = ("tcp", "udp", "6", "17")
Rule = dict[str, Any]


def target(record: Record) -> Target | None:
    """The group; ModifySecurityGroupRules names it one level down. Called by name, it is in the answer."""
    asked = parameters(record)
    nested = asked.get("ModifySecurityGroupRulesRequest")
    group = asked.get("groupId") or (nested.get("GroupId") if isinstance(nested, Mapping) else "")
    group = group or next((rule.get("groupId") for rule in _answered_rules(record)), "")
    resource = "ec2:{region}:{account}:security-group/{name}"
    return target_at(record, str(group or ""), "AWS::EC2::SecurityGroup", resource)


def _answered_rules(record: Record) -> list[Mapping[str, Any]]:
    rules = (record.get("responseElements") or {}).get("securityGroupRuleSet") or {}
    return list(rules.get("items") or ())


def _group(cloud: Cloud, target: Target) -> Mapping[str, Any]:
    found: Mapping[str, Any] = cloud("ec2", "describe_security_groups", GroupIds=[target.name])[
        "SecurityGroups"
    ][0]
    return found


def _reaches(rule: Mapping[str, Any]) -> str:
    """What of the administrators' ports the rule opens; empty when nothing."""
    if rule["IpProtocol"] == "-1":
        return "every port"
    if rule["IpProtocol"] not in PORTED:
        return ""
    first, last = int(rule.get("FromPort", 0)), int(rule.get("ToPort", 65535))
    if (first, last) == (0, 65535):
        return "every port"
    named = dict.fromkeys(name for port, name in ADMIN_PORTS.items() if first <= port <= last)
    said = f"port {first}" if first == last else f"ports {first}-{last}"
    return f"{said} ({', '.join(named)})" if named else ""


def _open_part(rule: Mapping[str, Any]) -> Rule | None:
    """The part of a rule that holds for the whole internet, as RevokeSecurityGroupIngress takes it."""
    v4 = [{"CidrIp": r["CidrIp"]} for r in rule.get("IpRanges", []) if is_worldwide(r["CidrIp"])]
    v6 = [{"CidrIpv6": r["CidrIpv6"]} for r in rule.get("Ipv6Ranges", []) if is_worldwide(r["CidrIpv6"])]
    if not (v4 or v6) or not _reaches(rule):
        return None
    part: Rule = {name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in rule}
    return part | ({"IpRanges": v4} if v4 else {}) | ({"Ipv6Ranges": v6} if v6 else {})


def check(cloud: Cloud, target: Target) -> Danger | None:
    """Look for ingress rules for the whole internet."""
    parts = [_open_part(rule) for rule in _group(cloud, target).get("IpPermissions", [])]
    found = [part for part in parts if part]
    if not found:
        return None
    said = "; ".join(_reaches(part) for part in found)
    return Danger(problem=f"the internet reaches {said}", before={"rules": found})


def fix(cloud: Cloud, target: Target, danger: Danger) -> None:
    """Revoke exactly these parts; other sources of the same rules stay."""
    rules = list(danger.before["rules"])
    cloud("ec2", "revoke_security_group_ingress", GroupId=target.name, IpPermissions=rules)


def undo(cloud: Cloud, target: Target, before: Mapping[str, Any]) -> None:
    """Allow them again."""
    rules = list(before["rules"])
    cloud("ec2", "authorize_security_group_ingress", GroupId=target.name, IpPermissions=rules)


def tags(cloud: Cloud, target: Target) -> Mapping[str, str]:
    """The group's tags."""
    return tag_map(_group(cloud, target).get("Tags"))


PLAYBOOK = Playbook(
    id="open-security-group",
    title="Security group opened to the internet on administrators' ports",
    severity="high",
    controls=("CIS AWS 3.0 5.2", "CIS AWS 3.0 5.3", "NIST 800-53 SC-7", "PCI DSS 4.0 1.3.1"),
    pattern=calls("ec2", "AuthorizeSecurityGroupIngress", "ModifySecurityGroupRules"),
    reads=(
        Permission(
            actions=("ec2:DescribeSecurityGroups",),
            resources=("*",),
            why="EC2 offers no resource for Describe calls",
        ),
    ),
    writes=(
        Permission(
            actions=("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"),
            resources=("arn:{partition}:ec2:{region}:{account}:security-group/*",),
            why="any group of this account and Region",
        ),
    ),
    target=target,
    check=check,
    fix=fix,
    undo=undo,
    tags=tags,
    gone=("InvalidGroup.NotFound", "InvalidGroupId.NotFound"),
)
