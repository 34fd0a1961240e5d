"""IAM roles and policies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from botocore.exceptions import ClientError

from opentrail.errors import DeployError
from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import Provider, Site, Wanted, retag, tag_list
from opentrail.local.deployer.state import Made

_MAX_NAME: Final = 64  # characters of a role name
_MAX_POLICY_NAME: Final = 128
_DEFAULT_SESSION_SECONDS: Final = 3600  # IAM's own default for a role
_HOLDERS: Final = ("Roles", "Users", "Groups")  # whom a policy can be attached to


class Role(Provider):
    """A role with its inline and attached policies."""

    type_name = "AWS::IAM::Role"
    replaced_by = frozenset({"RoleName", "Path"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``trust`` and ``inline`` (name -> document) as JSON, ``attached`` ARNs, and the settings."""
        properties.need("AssumeRolePolicyDocument")
        inline = properties.children("Policies")
        return {
            "name": properties.text("RoleName"),
            "path": properties.text("Path") or "/",
            "trust": properties.text("AssumeRolePolicyDocument"),
            "inline": {one.need("PolicyName"): one.text("PolicyDocument") for one in inline},
            "attached": list(properties.take("ManagedPolicyArns", [])),
            "boundary": properties.text("PermissionsBoundary"),
            "description": properties.text("Description") or "",
            "max_session_seconds": properties.whole("MaxSessionDuration") or _DEFAULT_SESSION_SECONDS,
            "tags": properties.tags(),
        }

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the role; ``settle`` gives it its permissions."""
        request = {
            "RoleName": wanted["name"] or site.name(_MAX_NAME),
            "Path": wanted["path"],
            "AssumeRolePolicyDocument": wanted["trust"],
            "Description": wanted["description"],
            "MaxSessionDuration": wanted["max_session_seconds"],
        }
        if wanted["boundary"]:
            request["PermissionsBoundary"] = wanted["boundary"]
        role = site.client("iam").create_role(**request)["Role"]
        return Made(role["RoleName"], {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Bring trust, permissions, boundary, description and tags to what is wanted."""
        client, name = site.client("iam"), made.physical_id
        old = before or {"inline": {}, "attached": []}
        if before is not None:
            _update_role(client, name, before, wanted)
        for policy in old["inline"].keys() - wanted["inline"].keys():
            _forgive_missing(client.delete_role_policy, RoleName=name, PolicyName=policy)
        for policy, document in wanted["inline"].items():
            if old["inline"].get(policy) != document:
                client.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)
        for arn in set(old["attached"]) - set(wanted["attached"]):
            _forgive_missing(client.detach_role_policy, RoleName=name, PolicyArn=arn)
        for arn in wanted["attached"]:
            if arn not in old["attached"]:
                client.attach_role_policy(RoleName=name, PolicyArn=arn)
        retag(
            before,
            wanted,
            add=lambda tags: client.tag_role(RoleName=name, Tags=tag_list(tags)),
            remove=lambda keys: client.untag_role(RoleName=name, TagKeys=keys),
        )

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the role and the policies this provider gave it; IAM refuses while it has others."""
        client, name = site.client("iam"), made.physical_id
        for policy in wanted["inline"]:
            _forgive_missing(client.delete_role_policy, RoleName=name, PolicyName=policy)
        for arn in wanted["attached"]:
            _forgive_missing(client.detach_role_policy, RoleName=name, PolicyArn=arn)
        client.delete_role(RoleName=name)


class Policy(Provider):
    """An inline policy written to roles, users and groups."""

    type_name = "AWS::IAM::Policy"
    replaced_by = frozenset({"PolicyName"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``name``, ``document`` (JSON text) and ``holders`` ((kind, name) pairs)."""
        properties.need("PolicyDocument")
        holders = _holders(properties)
        if not holders:
            raise DeployError("one of the properties Roles, Users, Groups is required")
        return {
            "name": properties.need("PolicyName"),
            "document": properties.text("PolicyDocument"),
            "holders": holders,
        }

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Name the policy; ``settle`` writes it to its holders."""
        return Made(wanted["name"], {"Id": wanted["name"]})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Write the policy to every holder wanted, and take it from the others."""
        client = site.client("iam")
        for kind, holder in wanted["holders"]:
            put = getattr(client, f"put_{kind}_policy")
            put(**_holder(kind, holder), PolicyName=made.physical_id, PolicyDocument=wanted["document"])
        _take_back(client, made, set((before or {}).get("holders", [])) - set(wanted["holders"]))

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Take the policy from every holder."""
        _take_back(site.client("iam"), made, wanted["holders"])


class ManagedPolicy(Provider):
    """A policy with an ARN of its own, attached to roles, users and groups."""

    type_name = "AWS::IAM::ManagedPolicy"
    replaced_by = frozenset({"ManagedPolicyName", "Path", "Description"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``name``, ``path``, ``description``, ``document`` and ``holders``."""
        properties.need("PolicyDocument")
        return {
            "name": properties.text("ManagedPolicyName"),
            "path": properties.text("Path") or "/",
            "description": properties.text("Description") or "",
            "document": properties.text("PolicyDocument"),
            "holders": _holders(properties),
        }

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the policy."""
        policy = site.client("iam").create_policy(
            PolicyName=wanted["name"] or site.name(_MAX_POLICY_NAME),
            Path=wanted["path"],
            Description=wanted["description"],
            PolicyDocument=wanted["document"],
        )["Policy"]
        return Made(policy["Arn"], {"PolicyArn": policy["Arn"], "PolicyId": policy["PolicyId"]})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Publish a changed document as the default version, attach and detach."""
        client, arn = site.client("iam"), made.physical_id
        if before is not None and before["document"] != wanted["document"]:
            _delete_old_versions(client, arn)  # IAM keeps five at most
            client.create_policy_version(PolicyArn=arn, PolicyDocument=wanted["document"], SetAsDefault=True)
        for kind, holder in wanted["holders"]:
            getattr(client, f"attach_{kind}_policy")(**_holder(kind, holder), PolicyArn=arn)
        _detach(client, arn, set((before or {}).get("holders", [])) - set(wanted["holders"]))

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Detach and delete the policy with its versions."""
        client = site.client("iam")
        _detach(client, made.physical_id, wanted["holders"])
        _delete_old_versions(client, made.physical_id)
        client.delete_policy(PolicyArn=made.physical_id)


def _update_role(client: Any, name: str, before: Wanted, wanted: Wanted) -> None:
    if wanted["trust"] != before["trust"]:
        client.update_assume_role_policy(RoleName=name, PolicyDocument=wanted["trust"])
    settings = ("description", "max_session_seconds")
    if any(wanted[setting] != before[setting] for setting in settings):
        client.update_role(
            RoleName=name,
            Description=wanted["description"],
            MaxSessionDuration=wanted["max_session_seconds"],
        )
    if wanted["boundary"] and wanted["boundary"] != before["boundary"]:
        client.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=wanted["boundary"])
    elif before["boundary"] and not wanted["boundary"]:
        client.delete_role_permissions_boundary(RoleName=name)


def _holders(properties: Properties) -> list[tuple[str, str]]:
    return [
        (holders.removesuffix("s").lower(), name)
        for holders in _HOLDERS
        for name in properties.take(holders, [])
    ]


def _holder(kind: str, name: str) -> dict[str, str]:
    return {f"{kind.capitalize()}Name": name}


def _take_back(client: Any, made: Made, holders: Iterable[tuple[str, str]]) -> None:
    for kind, holder in holders:
        delete = getattr(client, f"delete_{kind}_policy")
        _forgive_missing(delete, **_holder(kind, holder), PolicyName=made.physical_id)


def _detach(client: Any, arn: str, holders: Iterable[tuple[str, str]]) -> None:
    for kind, holder in holders:
        _forgive_missing(getattr(client, f"detach_{kind}_policy"), **_holder(kind, holder), PolicyArn=arn)


def _delete_old_versions(client: Any, arn: str) -> None:
    for version in client.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            client.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])


def _forgive_missing(call: Any, **request: Any) -> None:
    """Make a call that takes something away; that it is not there is as good."""
    try:
        call(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
