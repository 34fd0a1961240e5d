"""DynamoDB tables: ``Table``, and ``GlobalTable``, which is what CDK's TableV2 writes."""

from __future__ import annotations

from typing import Any, Final

from opentrail.errors import DeployError
from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import Provider, Site, Wanted, retag, tag_list
from opentrail.local.deployer.state import Made

_MAX_TABLE_NAME: Final = 255  # characters
# Parameters of CreateTable that UpdateTable takes as they are.
_UPDATABLE: Final = (
    "BillingMode",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "ProvisionedThroughput",
    "SSESpecification",
    "StreamSpecification",
    "TableClass",
)
# What a setting becomes when the template no longer names it.
_ABSENT: Final[dict[str, Any]] = {
    "BillingMode": "PROVISIONED",
    "DeletionProtectionEnabled": False,
    "SSESpecification": {"Enabled": False},
    "StreamSpecification": {"StreamEnabled": False},
    "TableClass": "STANDARD",
}
_NAMES: Final = {"SSEEnabled": "Enabled"}


class Table(Provider):
    """A table of one Region."""

    type_name = "AWS::DynamoDB::Table"
    replaced_by = frozenset({"TableName", "KeySchema", "LocalSecondaryIndexes"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``table`` (CreateTable), ``policy``, ``ttl``, ``recovery`` and ``tags``."""
        stream = properties.child("StreamSpecification")
        policy = properties.child("ResourcePolicy")
        wanted: Wanted = {
            "policy": policy.text("PolicyDocument") if policy is not None else None,
            "ttl": _ttl(properties, site),
            "recovery": _recovery(properties, site),
            "tags": properties.tags(),
            "table": properties.rest(site.shape("dynamodb", "CreateTable"), _NAMES),
        }
        if stream is not None:  # to be on is what naming a stream means; the API wants it said
            view = stream.need("StreamViewType")
            wanted["table"]["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
        wanted["table"].setdefault("BillingMode", "PROVISIONED")
        return wanted

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the table and wait until it is active."""
        client = site.client("dynamodb")
        request = {"TableName": site.name(_MAX_TABLE_NAME), **wanted["table"]}
        table = client.create_table(**request)["TableDescription"]
        client.get_waiter("table_exists").wait(TableName=table["TableName"])
        return Made(table["TableName"], _attributes(table))

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Bring the table, its policy, time to live, recovery and tags to what is wanted."""
        client, name = site.client("dynamodb"), made.physical_id
        if before is not None:
            _update_table(client, name, before["table"], wanted["table"])
            made.attributes.update(_attributes(client.describe_table(TableName=name)["Table"]))
        _set_policy(client, made.attributes["Arn"], before["policy"] if before else None, wanted["policy"])
        _set_ttl(client, name, before["ttl"] if before else None, wanted["ttl"])
        _set_recovery(client, name, before["recovery"] if before else None, wanted["recovery"])
        retag(
            before,
            wanted,
            add=lambda tags: client.tag_resource(ResourceArn=made.attributes["Arn"], Tags=tag_list(tags)),
            remove=lambda keys: client.untag_resource(ResourceArn=made.attributes["Arn"], TagKeys=keys),
        )

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the table; DynamoDB refuses while deletion protection is on."""
        site.client("dynamodb").delete_table(TableName=made.physical_id)


class GlobalTable(Table):
    """A global table with one replica, here: what CDK's TableV2 makes without further Regions."""

    type_name = "AWS::DynamoDB::GlobalTable"

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return what ``Table.read`` returns; the replica's settings are the table's."""
        replicas = properties.children("Replicas")
        if [replica.need("Region") for replica in replicas] != [site.region]:
            raise DeployError(f"property Replicas: exactly one replica, in {site.region}, is supported")
        replica = replicas[0]
        shape = site.shape("dynamodb", "CreateTable")
        recovery = _recovery(replica, site)
        tags = replica.tags()
        own_key = replica.child("SSESpecification")
        wanted = super().read(properties, site)
        wanted["recovery"], wanted["tags"] = recovery, {**wanted["tags"], **tags}
        wanted["table"].update(replica.rest(shape))
        if own_key is not None:
            encryption = wanted["table"].setdefault("SSESpecification", {})
            encryption["KMSMasterKeyId"] = own_key.need("KMSMasterKeyId")
        return wanted


def _attributes(table: dict[str, Any]) -> dict[str, str]:
    members = {"Arn": "TableArn", "StreamArn": "LatestStreamArn", "TableId": "TableId"}
    return {name: table[member] for name, member in members.items() if table.get(member)}


def _ttl(properties: Properties, site: Site) -> dict[str, Any] | None:
    shape = site.shape("dynamodb", "UpdateTimeToLive").members["TimeToLiveSpecification"]
    ttl: dict[str, Any] | None = properties.fitted("TimeToLiveSpecification", shape)
    return ttl


def _recovery(properties: Properties, site: Site) -> dict[str, Any] | None:
    shape = site.shape("dynamodb", "UpdateContinuousBackups").members["PointInTimeRecoverySpecification"]
    recovery: dict[str, Any] | None = properties.fitted("PointInTimeRecoverySpecification", shape)
    return recovery


def _set_policy(client: Any, arn: str, before: str | None, wanted: str | None) -> None:
    if wanted and wanted != before:
        client.put_resource_policy(ResourceArn=arn, Policy=wanted)
    elif before and not wanted:
        client.delete_resource_policy(ResourceArn=arn)


def _set_ttl(client: Any, table: str, before: Wanted | None, wanted: Wanted | None) -> None:
    if before == wanted:
        return
    if before and before.get("Enabled") and (not wanted or wanted != before):
        client.update_time_to_live(TableName=table, TimeToLiveSpecification={**before, "Enabled": False})
    if wanted and wanted.get("Enabled"):
        client.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)


def _set_recovery(client: Any, table: str, before: Wanted | None, wanted: Wanted | None) -> None:
    if before == wanted:
        return
    client.update_continuous_backups(
        TableName=table,
        PointInTimeRecoverySpecification=wanted or {"PointInTimeRecoveryEnabled": False},
    )


def _update_table(client: Any, name: str, before: dict[str, Any], wanted: dict[str, Any]) -> None:
    request = {
        key: wanted.get(key, _ABSENT.get(key))
        for key in _UPDATABLE
        if before.get(key) != wanted.get(key) and (key in wanted or key in _ABSENT)
    }
    if request:
        client.update_table(TableName=name, **request)
    for change in _index_changes(before, wanted):
        client.update_table(
            TableName=name,
            AttributeDefinitions=wanted["AttributeDefinitions"],
            GlobalSecondaryIndexUpdates=[change],  # DynamoDB makes or deletes one index per call
        )


def _index_changes(before: dict[str, Any], wanted: dict[str, Any]) -> list[dict[str, Any]]:
    old = {index["IndexName"]: index for index in before.get("GlobalSecondaryIndexes", [])}
    new = {index["IndexName"]: index for index in wanted.get("GlobalSecondaryIndexes", [])}
    gone = [name for name, index in old.items() if new.get(name) != index]
    made = [index for name, index in new.items() if old.get(name) != index]
    return [*({"Delete": {"IndexName": name}} for name in gone), *({"Create": index} for index in made)]
