"""Whole assemblies: assets published, stacks in order, outputs returned."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from opentrail.errors import DeployError
from opentrail.local.deployer import StackStore, deploy_assembly, publish_assets, read_assembly
from opentrail.local.deployer.archive import zip_directory
from tests.adapters.deployer.conftest import ACCOUNT, REGION, Clock, Deployer, resource

BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
BUCKET = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
PLACE = {"bucketName": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}", "assumeRoleArn": "arn:role"}
VERSION_CHECK: dict[str, Any] = {
    "Parameters": {"BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": BOOTSTRAP}},
    "Rules": {
        "CheckBootstrapVersion": {
            "Assertions": [
                {
                    "Assert": {
                        "Fn::Not": [
                            {"Fn::Contains": [["1", "2", "3", "4", "5"], {"Ref": "BootstrapVersion"}]}
                        ]
                    }
                }
            ]
        }
    },
}


class Assembly:
    """A cloud assembly in the making, as ``cdk synth`` writes it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.artifacts: dict[str, Any] = {}

    def stack(self, name: str, resources: dict[str, Any], *needs: str, **sections: Any) -> None:
        """Add a stack that depends on others."""
        check = json.loads(json.dumps(VERSION_CHECK))
        check["Parameters"].update(sections.pop("Parameters", {}))
        template = {"Resources": resources, **check, **sections}
        (self.root / f"{name}.template.json").write_text(json.dumps(template))
        self.artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "dependencies": [*needs],
            "properties": {
                "templateFile": f"{name}.template.json",
                "requiresBootstrapStackVersion": 6,
                "bootstrapStackVersionSsmParameter": BOOTSTRAP,
            },
        }
        self.write()

    def assets(self, name: str, files: dict[str, Any], **more: Any) -> None:
        """Add an asset manifest."""
        (self.root / f"{name}.assets.json").write_text(json.dumps({"files": files, **more}))
        self.artifacts[f"{name}.assets"] = {
            "type": "cdk:asset-manifest",
            "properties": {"file": f"{name}.assets.json"},
        }
        self.write()

    def write(self) -> None:
        """Write the manifest."""
        (self.root / "manifest.json").write_text(json.dumps({"artifacts": self.artifacts}))


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    """Return an empty assembly."""
    return Assembly(tmp_path)


def file_asset(path: str, packaging: str, key: str, **place: str) -> dict[str, Any]:
    """Return one entry of an asset manifest."""
    destination = {**PLACE, "objectKey": key, **place}
    return {"source": {"path": path, "packaging": packaging}, "destinations": {"current": destination}}


def body(deployer: Deployer, key: str) -> bytes:
    """Return an object of the asset bucket."""
    return bytes(deployer.clients("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())


def test_files_and_zipped_directories_are_published_once(deployer: Deployer, assembly: Assembly) -> None:
    code = assembly.root / "asset.code"
    (code / "inner").mkdir(parents=True)
    (code / "inner" / "b.py").write_text("b = 1")
    (code / "a.py").write_text("a = 1")
    (assembly.root / "plain.json").write_text("{}")
    zipped, plain = (
        file_asset("asset.code", "zip", "code.zip"),
        file_asset("plain.json", "file", "plain.json"),
    )
    assembly.assets("S", {"zipped": zipped, "plain": plain})

    published = publish_assets(assembly.root, deployer.clients, ACCOUNT, REGION)

    assert published == [f"{BUCKET}/code.zip", f"{BUCKET}/plain.json"]
    assert body(deployer, "plain.json") == b"{}"
    with zipfile.ZipFile(io.BytesIO(body(deployer, "code.zip"))) as archive:
        assert archive.namelist() == ["a.py", "inner/b.py"]
        assert archive.read("inner/b.py") == b"b = 1"
    assert publish_assets(assembly.root, deployer.clients, ACCOUNT, REGION) == []


def test_zip_depends_on_names_contents_and_execute_bits_alone(tmp_path: Path) -> None:
    def directory(name: str, *files: str) -> Path:
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).write_text(file)
        return tmp_path / name

    first, second = directory("one", "a", "b"), directory("two", "b", "a")
    same = zip_directory(first) == zip_directory(second)
    (second / "a").chmod(0o755)

    assert same
    assert zip_directory(first) != zip_directory(second)


@pytest.mark.parametrize(
    ("files", "more", "why"),
    [
        ({}, {"dockerImages": {"x": {}}}, "S.assets.json: container images are not supported"),
        (
            {"x": {"source": {"executable": ["make"]}, "destinations": {}}},
            {},
            "asset x is built by a command",
        ),
        ({"x": file_asset("f", "file", "k", region="eu-west-1")}, {}, "asset x is for Region eu-west-1"),
        ({"x": file_asset("gone", "zip", "k")}, {}, "asset x has no file .*gone; synthesise again"),
    ],
)
def test_asset_nobody_can_publish(
    deployer: Deployer, assembly: Assembly, files: dict[str, Any], more: dict[str, Any], why: str
) -> None:
    assembly.assets("S", files, **more)

    with pytest.raises(DeployError, match=why):
        publish_assets(assembly.root, deployer.clients, ACCOUNT, REGION)


def test_bootstrap_stack_takes_over_the_bucket_that_assets_needed_before(
    deployer: Deployer, assembly: Assembly
) -> None:
    (assembly.root / "plain.json").write_text("{}")
    assembly.assets("S", {"plain": file_asset("plain.json", "file", "plain.json")})
    publish_assets(assembly.root, deployer.clients, ACCOUNT, REGION)
    staging = resource("AWS::S3::Bucket", BucketName=BUCKET, VersioningConfiguration={"Status": "Enabled"})

    deployer.deploy({"Staging": staging}, "CDKToolkit")

    assert body(deployer, "plain.json") == b"{}"
    assert deployer.clients("s3").get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    with pytest.raises(DeployError, match="already exists"):
        deployer.deploy({"Staging": staging}, "Second")


def queue_and_user(assembly: Assembly) -> None:
    """Write two stacks; the one written first imports from the other."""
    url = {"Fn::ImportValue": "url"}
    parameter = resource("AWS::SSM::Parameter", Name="/url", Type="String", Value=url)
    assembly.stack("User", {"P": parameter}, "Maker", Outputs={"Name": {"Value": {"Ref": "P"}}})
    assembly.stack(
        "Maker",
        {"Q": resource("AWS::SQS::Queue", QueueName="q", DelaySeconds={"Ref": "Delay"})},
        Parameters={"Delay": {"Type": "Number", "Default": 0}},
        Outputs={"Url": {"Value": {"Ref": "Q"}, "Export": {"Name": "url"}}},
    )


def test_stacks_are_deployed_in_dependency_order(deployer: Deployer, assembly: Assembly) -> None:
    queue_and_user(assembly)

    outputs = deploy_assembly(assembly.root, clients=deployer.clients, parameters={"Delay": "7"})

    assert list(outputs) == ["Maker", "User"]
    assert outputs["User"] == {"Name": "/url"}
    url = outputs["Maker"]["Url"]
    assert deployer.clients("ssm").get_parameter(Name="/url")["Parameter"]["Value"] == url
    found = deployer.clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])
    assert found["Attributes"]["DelaySeconds"] == "7"


def test_second_deployment_with_the_same_store_is_an_update(deployer: Deployer, assembly: Assembly) -> None:
    queue_and_user(assembly)
    store = StackStore()

    for _ in range(2):
        deploy_assembly(
            assembly.root, clients=deployer.clients, account=ACCOUNT, region=REGION, store=store, now=Clock()
        )

    assert [stack.status for stack in store] == ["UPDATE_COMPLETE", "UPDATE_COMPLETE"]


def test_parameter_no_stack_declares_is_refused(deployer: Deployer, assembly: Assembly) -> None:
    queue_and_user(assembly)

    with pytest.raises(DeployError, match="no stack of the assembly declares parameter Speed"):
        deploy_assembly(assembly.root, clients=deployer.clients, parameters={"Speed": "9"})

    assert "QueueUrls" not in deployer.clients("sqs").list_queues()


def test_bootstrap_version_is_answered_and_nothing_pretends_to_be_bootstrapped(
    deployer: Deployer, assembly: Assembly
) -> None:
    queue_and_user(assembly)

    deploy_assembly(assembly.root, clients=deployer.clients)

    names = [one["Name"] for one in deployer.clients("ssm").describe_parameters()["Parameters"]]
    assert names == ["/url"]


def test_directory_without_an_assembly(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match="holds no cloud assembly"):
        read_assembly(tmp_path)


def test_nested_assembly_is_refused(assembly: Assembly) -> None:
    assembly.artifacts["assembly-Prod"] = {
        "type": "cdk:cloud-assembly",
        "properties": {"directoryName": "prod"},
    }
    assembly.write()

    with pytest.raises(DeployError, match="assembly-Prod is a nested assembly"):
        read_assembly(assembly.root)


def test_stack_name_may_differ_from_the_artifact(assembly: Assembly) -> None:
    assembly.stack("Artifact", {"Q": resource("AWS::SQS::Queue")})
    assembly.artifacts["Artifact"]["properties"]["stackName"] = "RealName"
    assembly.write()

    assert [stack.name for stack in read_assembly(assembly.root)] == ["RealName"]
