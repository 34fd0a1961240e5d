"""OpenTrail's own stacks, as ``make synth`` packages them: everything they ask for is really there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import opentrail
from opentrail.local.deployer import StackState, StackStore, deploy_assembly, read_assembly
from tests.adapters.deployer.conftest import ACCOUNT, REGION, Clock, Deployer

ASSEMBLY = Path(opentrail.__file__).parent / "_deploy"

pytestmark = pytest.mark.skipif(
    not (ASSEMBLY / "manifest.json").exists(), reason="no packaged templates here; `make synth` makes them"
)


class Deployed:
    """The stacks after a deployment."""

    def __init__(self, deployer: Deployer) -> None:
        self.clients = deployer.clients
        self.store = StackStore()
        self.outputs: dict[str, str] = {}

    def deploy(self, **parameters: str) -> None:
        """Deploy the packaged assembly, or update what an earlier call deployed."""
        stacks = deploy_assembly(
            ASSEMBLY,
            clients=self.clients,
            account=ACCOUNT,
            region=REGION,
            parameters=parameters,
            store=self.store,
            now=Clock(),
        )
        self.outputs = {name: value for outputs in stacks.values() for name, value in outputs.items()}

    def state(self, name: str) -> StackState:
        """Return one stack."""
        state = self.store.get(name)
        assert state is not None
        return state

    def of_type(self, type_name: str) -> list[str]:
        """Return the physical ids of all resources of a type."""
        return [
            one.made.physical_id
            for state in self.store
            for one in state.resources.values()
            if one.type_name == type_name
        ]

    def physical_ids(self) -> dict[str, str]:
        """Return every resource's physical id."""
        return {
            f"{state.name}/{name}": one.made.physical_id
            for state in self.store
            for name, one in state.resources.items()
        }


@pytest.fixture
def deployed(deployer: Deployer) -> Deployed:
    """Return the stacks, deployed with their defaults."""
    stacks = Deployed(deployer)
    stacks.deploy()
    return stacks


def test_every_resource_of_the_templates_is_made(deployed: Deployed) -> None:
    for stack in read_assembly(ASSEMBLY):
        assert deployed.state(stack.name).status == "CREATE_COMPLETE"
        made = deployed.state(stack.name).resources.keys()
        always = {name for name, one in stack.template["Resources"].items() if "Condition" not in one}
        assert always <= made <= stack.template["Resources"].keys()


def test_buckets_are_hardened(deployed: Deployed) -> None:
    s3 = deployed.clients("s3")
    for bucket in deployed.of_type("AWS::S3::Bucket"):
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert set(block.values()) == {True}
        (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
        assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]


def test_signing_key_signs(deployed: Deployed) -> None:
    answer = deployed.clients("kms").sign(
        KeyId=deployed.outputs["SigningKeyId"],
        Message=b"digest",
        MessageType="RAW",
        SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
    )

    assert len(answer["Signature"]) == 2048 // 8


def test_tables_expire_recover_and_cannot_be_deleted(deployed: Deployed) -> None:
    client = deployed.clients("dynamodb")
    for table in deployed.of_type("AWS::DynamoDB::Table"):
        described = client.describe_table(TableName=table)["Table"]
        assert described["DeletionProtectionEnabled"] is True
        assert described["SSEDescription"]["Status"] == "ENABLED"
        ttl = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        expiry = (ttl["TimeToLiveStatus"], ttl.get("AttributeName"))
        anchor = table == deployed.outputs["AnchorTableName"]  # what it holds stays for ever
        assert expiry == (("DISABLED", None) if anchor else ("ENABLED", "expires"))
        backups = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_rule_takes_all_management_events(deployed: Deployed) -> None:
    rules = deployed.clients("events").list_rules()["Rules"]
    states = {rule["State"] for rule in rules if "via CloudTrail" in rule.get("EventPattern", "")}

    assert states == {"ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"}
    for rule in rules:
        assert deployed.clients("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]


def test_functions_have_their_code(deployed: Deployed) -> None:
    for name in deployed.of_type("AWS::Lambda::Function"):
        code = deployed.clients("lambda").get_function(FunctionName=name)["Configuration"]
        assert code["CodeSize"] > 0


def windows(deployed: Deployed) -> list[int]:
    """Return the batching windows of the queue pollers, in seconds."""
    mappings: list[Any] = deployed.clients("lambda").list_event_source_mappings()["EventSourceMappings"]
    return sorted(mapping["MaximumBatchingWindowInSeconds"] for mapping in mappings)


def test_changed_parameter_is_an_update_in_place(deployed: Deployed) -> None:
    before = deployed.physical_ids()
    assert 300 in windows(deployed)

    deployed.deploy(DeliveryWindowSeconds="60")

    assert 60 in windows(deployed)
    assert 300 not in windows(deployed)
    assert deployed.physical_ids() == before


def test_same_assembly_again_touches_nothing(deployed: Deployed) -> None:
    deployed.deploy()

    for state in deployed.store:
        updated = [event for event in state.events if event.status.startswith("UPDATE")]
        assert {event.logical_id for event in updated} == {state.name}
