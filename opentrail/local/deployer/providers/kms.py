"""KMS keys and aliases."""

from __future__ import annotations

from typing import Any, Final

from opentrail.errors import DeployError
from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import Provider, Site, Wanted, retag, tag_list
from opentrail.local.deployer.state import Made

_DEFAULT_PENDING_DAYS: Final = 30  # AWS::KMS::Key PendingWindowInDays


class Key(Provider):
    """A symmetric or asymmetric key."""

    type_name = "AWS::KMS::Key"
    replaced_by = frozenset({"KeySpec", "KeyUsage", "MultiRegion", "Origin"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``key`` (what only CreateKey can set) and the settings that can change."""
        return {
            "description": properties.text("Description") or "",
            "policy": properties.text("KeyPolicy"),
            "rotation": properties.flag("EnableKeyRotation"),
            "rotation_days": properties.whole("RotationPeriodInDays"),
            "enabled": properties.flag("Enabled", absent=True),
            "pending_days": properties.whole("PendingWindowInDays") or _DEFAULT_PENDING_DAYS,
            "tags": properties.tags(),
            "key": properties.rest(site.shape("kms", "CreateKey")),
        }

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the key with its policy."""
        request = dict(wanted["key"])
        if wanted["policy"] is not None:
            request["Policy"] = wanted["policy"]
        created = site.client("kms").create_key(Description=wanted["description"], **request)["KeyMetadata"]
        return Made(created["KeyId"], {"Arn": created["Arn"], "KeyId": created["KeyId"]})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Bring description, policy, rotation, tags and state to what is wanted."""
        client, key = site.client("kms"), made.physical_id
        if before is not None and wanted["description"] != before["description"]:
            client.update_key_description(KeyId=key, Description=wanted["description"])
        if before is not None and wanted["policy"] != before["policy"]:
            if wanted["policy"] is None:
                raise DeployError("property KeyPolicy cannot be removed; write the policy the key shall have")
            client.put_key_policy(KeyId=key, PolicyName="default", Policy=wanted["policy"])
        _set_rotation(client, key, before, wanted)
        retag(
            before,
            wanted,
            add=lambda tags: client.tag_resource(KeyId=key, Tags=tag_list(tags, "TagKey", "TagValue")),
            remove=lambda names: client.untag_resource(KeyId=key, TagKeys=names),
        )
        if wanted["enabled"] != (before is None or before["enabled"]):
            (client.enable_key if wanted["enabled"] else client.disable_key)(KeyId=key)

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Schedule the deletion; KMS never deletes at once."""
        site.client("kms").schedule_key_deletion(
            KeyId=made.physical_id, PendingWindowInDays=wanted["pending_days"]
        )


class Alias(Provider):
    """Another name of a key."""

    type_name = "AWS::KMS::Alias"
    replaced_by = frozenset({"AliasName"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``name`` and ``key``."""
        return {"name": properties.need("AliasName"), "key": properties.need("TargetKeyId")}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the alias."""
        site.client("kms").create_alias(AliasName=wanted["name"], TargetKeyId=wanted["key"])
        return Made(wanted["name"], {"AliasArn": site.arn("kms", wanted["name"])})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Point the alias at another key."""
        if before is not None and wanted["key"] != before["key"]:
            site.client("kms").update_alias(AliasName=made.physical_id, TargetKeyId=wanted["key"])

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the alias; the key stays."""
        site.client("kms").delete_alias(AliasName=made.physical_id)


def _set_rotation(client: Any, key: str, before: Wanted | None, wanted: Wanted) -> None:
    now = (wanted["rotation"], wanted["rotation_days"])
    if before is not None and (before["rotation"], before["rotation_days"]) == now:
        return
    if wanted["rotation"]:
        days = wanted["rotation_days"]
        client.enable_key_rotation(KeyId=key, **({"RotationPeriodInDays": days} if days else {}))
    elif before is not None and before["rotation"]:
        client.disable_key_rotation(KeyId=key)
