"""Tables, in both forms: what the template asks for is what DynamoDB shows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opentrail.errors import DeployError
from tests.adapters.deployer.conftest import ACCOUNT, REGION, Deployer, requests_of

TABLE = "AWS::DynamoDB::Table"
GLOBAL = "AWS::DynamoDB::GlobalTable"
KEYS: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
    ],
    "BillingMode": "PAY_PER_REQUEST",
}
HARDENED: dict[str, Any] = {
    "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": "alias/data"},
    "DeletionProtectionEnabled": True,
}


def shown(deployer: Deployer, table: str) -> dict[str, Any]:
    """Return what DynamoDB says about a table, in the words of the tests."""
    client = deployer.clients("dynamodb")
    described = client.describe_table(TableName=table)["Table"]
    ttl = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    backups = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    return {
        "keys": [key["AttributeName"] for key in described["KeySchema"]],
        "billing": described.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        "protected": described.get("DeletionProtectionEnabled", False),
        "encrypted": described.get("SSEDescription", {}).get("Status", "DISABLED"),
        "key": described.get("SSEDescription", {}).get("KMSMasterKeyArn"),
        "ttl": ttl.get("AttributeName") if ttl["TimeToLiveStatus"] == "ENABLED" else None,
        "recovery": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        "indexes": sorted(index["IndexName"] for index in described.get("GlobalSecondaryIndexes", [])),
        "stream": described.get("StreamSpecification", {}).get("StreamViewType"),
    }


def test_table_with_everything(deployer: Deployer) -> None:
    name = deployer.one(TABLE, **KEYS, **HARDENED, TableName="ledger")

    assert name == "ledger"
    assert shown(deployer, name) == {
        "keys": ["pk", "sk"],
        "billing": "PAY_PER_REQUEST",
        "protected": True,
        "encrypted": "ENABLED",
        "key": "alias/data",
        "ttl": "expires",
        "recovery": "ENABLED",
        "indexes": [],
        "stream": None,
    }


def test_global_table_with_one_replica_is_a_table(deployer: Deployer) -> None:
    replica = {
        "Region": REGION,
        "DeletionProtectionEnabled": True,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"KMSMasterKeyId": "alias/data"},
        "Tags": [{"Key": "k", "Value": "v"}],
    }

    name = deployer.one(
        GLOBAL,
        **KEYS,
        Replicas=[replica],
        SSESpecification={"SSEEnabled": True, "SSEType": "KMS"},
        TimeToLiveSpecification=HARDENED["TimeToLiveSpecification"],
    )

    found = shown(deployer, name)
    assert (found["protected"], found["key"], found["recovery"]) == (True, "alias/data", "ENABLED")
    assert (found["ttl"], found["encrypted"]) == ("expires", "ENABLED")
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
    tags = deployer.clients("dynamodb").list_tags_of_resource(ResourceArn=arn)["Tags"]
    assert tags == [{"Key": "k", "Value": "v"}]


@pytest.mark.parametrize(
    "replicas", [[], [{"Region": "eu-west-1"}], [{"Region": REGION}, {"Region": "eu-west-1"}]]
)
def test_global_table_in_other_regions_is_refused(deployer: Deployer, replicas: list[Any]) -> None:
    with pytest.raises(DeployError, match="exactly one replica, in us-east-1"):
        deployer.one(GLOBAL, **KEYS, Replicas=replicas)


def test_settings_change_in_place_and_the_items_stay(deployer: Deployer) -> None:
    name = deployer.one(TABLE, **KEYS)
    item = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    deployer.clients("dynamodb").put_item(TableName=name, Item=item)

    with requests_of("dynamodb", "UpdateTable") as requests:
        assert deployer.one(TABLE, **KEYS, **HARDENED) == name

    found = shown(deployer, name)
    assert (found["ttl"], found["recovery"], found["protected"]) == ("expires", "ENABLED", True)
    encryption = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "alias/data"}
    assert requests[0]["SSESpecification"] == encryption
    assert deployer.clients("dynamodb").scan(TableName=name)["Items"] == [item]


def test_settings_no_longer_asked_for_go(deployer: Deployer) -> None:
    name = deployer.one(TABLE, **KEYS, **HARDENED)

    deployer.one(TABLE, **KEYS)

    found = shown(deployer, name)
    assert (found["ttl"], found["recovery"], found["protected"]) == (None, "DISABLED", False)


def test_other_ttl_attribute(deployer: Deployer) -> None:
    name = deployer.one(TABLE, **KEYS, **HARDENED)
    other = {"AttributeName": "until", "Enabled": True}

    deployer.one(TABLE, **KEYS, **{**HARDENED, "TimeToLiveSpecification": other})

    assert shown(deployer, name)["ttl"] == "until"


def test_indexes_come_and_go(deployer: Deployer) -> None:
    def index(name: str) -> dict[str, Any]:
        keys = [{"AttributeName": "sk", "KeyType": "HASH"}]
        return {"IndexName": name, "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}

    name = deployer.one(TABLE, **KEYS, GlobalSecondaryIndexes=[index("one")])
    assert shown(deployer, name)["indexes"] == ["one"]

    again = deployer.one(TABLE, **KEYS, GlobalSecondaryIndexes=[index("two"), index("three")])

    assert again == name
    assert shown(deployer, name)["indexes"] == ["three", "two"]


def test_stream_is_switched_on_by_naming_it(deployer: Deployer) -> None:
    name = deployer.one(TABLE, **KEYS)

    deployer.one(TABLE, **KEYS, StreamSpecification={"StreamViewType": "NEW_IMAGE"})

    assert shown(deployer, name)["stream"] == "NEW_IMAGE"


def test_other_keys_are_another_table(deployer: Deployer) -> None:
    first = deployer.one(TABLE, **KEYS)
    only_pk = {"KeySchema": KEYS["KeySchema"][:1], "AttributeDefinitions": KEYS["AttributeDefinitions"][:1]}

    second = deployer.one(TABLE, **{**KEYS, **only_pk})

    assert first != second
    assert deployer.clients("dynamodb").list_tables()["TableNames"] == [second]


def test_protected_table_is_not_deleted(deployer: Deployer) -> None:
    name = deployer.one(TABLE, **KEYS, DeletionProtectionEnabled=True)

    with pytest.raises(DeployError, match=r"It \(AWS::DynamoDB::Table\)"):
        deployer.engine.delete("Stack")

    assert deployer.clients("dynamodb").list_tables()["TableNames"] == [name]


def test_unknown_properties_are_refused_at_any_depth(deployer: Deployer) -> None:
    with pytest.raises(DeployError, match=r"property SSESpecification\.Oops is not supported"):
        deployer.one(TABLE, **KEYS, SSESpecification={"SSEEnabled": True, "Oops": 1})
    with pytest.raises(DeployError, match=r"property Replicas\[0\]\.Oops is not supported"):
        deployer.one(GLOBAL, **KEYS, Replicas=[{"Region": REGION, "Oops": 1}])


def policy_of(deployer: Deployer, table: str) -> Any:
    """Return a table's own policy, None where it has none."""
    client = deployer.clients("dynamodb")
    arn = client.describe_table(TableName=table)["Table"]["TableArn"]
    try:
        return json.loads(client.get_resource_policy(ResourceArn=arn)["Policy"])
    except client.exceptions.PolicyNotFoundException:
        return None


def test_a_tables_policy_comes_changes_and_goes_with_the_template(deployer: Deployer) -> None:
    def denying(action: str) -> dict[str, Any]:
        denied = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
        return {"Version": "2012-10-17", "Statement": [denied]}

    first, second = denying("dynamodb:PutItem"), denying("dynamodb:DeleteItem")
    seen = []
    for policy in ({"PolicyDocument": first}, {"PolicyDocument": second}, None):
        table = deployer.one(TABLE, **KEYS, **({"ResourcePolicy": policy} if policy else {}))
        seen.append(policy_of(deployer, table))

    assert seen == [first, second, None]
