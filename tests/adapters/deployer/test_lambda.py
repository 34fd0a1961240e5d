"""Functions, layers and what triggers them: what the template asks for is what Lambda shows."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from opentrail.errors import DeployError
from tests.adapters.deployer.conftest import ACCOUNT, REGION, Deployer, requests_of, resource

FUNCTION = "AWS::Lambda::Function"
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "RoleName": "worker",
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        },
    },
}
BASE: dict[str, Any] = {
    "FunctionName": "record",
    "Runtime": "python3.13",
    "Handler": "index.handler",
    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
    "Code": {"ZipFile": "def handler(event, context): return 1"},
}


def archive(**files: str) -> bytes:
    """Return a zip with these modules."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, source in files.items():
            made.writestr(f"{name}.py", source)
    return buffer.getvalue()


def upload(deployer: Deployer, key: str, **files: str) -> dict[str, str]:
    """Put an archive into a bucket; return the ``Code`` or ``Content`` that names it."""
    s3 = deployer.clients("s3")
    s3.create_bucket(Bucket="assets")
    s3.put_object(Bucket="assets", Key=key, Body=archive(**files))
    return {"S3Bucket": "assets", "S3Key": key}


def deploy(deployer: Deployer, others: dict[str, Any] | None = None, **properties: Any) -> Any:
    """Deploy a function with its role, and return what Lambda says about it."""
    function = resource(FUNCTION, **{**BASE, **properties})
    deployer.deploy({"Role": ROLE, "Function": function, **(others or {})})
    return deployer.clients("lambda").get_function(FunctionName="record")


def test_function_with_its_configuration(deployer: Deployer) -> None:
    found = deploy(
        deployer,
        Architectures=["arm64"],
        MemorySize="512",
        Timeout=60,
        Description="records",
        Environment={"Variables": {"OPENTRAIL_MAX": 7}},
        LoggingConfig={"LogFormat": "JSON", "LogGroup": "/opentrail/record"},
        TracingConfig={"Mode": "Active"},
        ReservedConcurrentExecutions=1,
        Tags=[{"Key": "k", "Value": "v"}],
    )

    configuration = found["Configuration"]
    assert configuration["Role"] == f"arn:aws:iam::{ACCOUNT}:role/worker"
    assert (configuration["Runtime"], configuration["Handler"]) == ("python3.13", "index.handler")
    assert (configuration["MemorySize"], configuration["Timeout"]) == (512, 60)
    assert configuration["Architectures"] == ["arm64"]
    assert configuration["Environment"]["Variables"] == {"OPENTRAIL_MAX": "7"}
    assert found["Concurrency"]["ReservedConcurrentExecutions"] == 1
    assert found["Tags"] == {"k": "v"}


def test_settings_moto_does_not_show_are_sent(deployer: Deployer) -> None:
    logging = {"LogFormat": "JSON", "LogGroup": "/opentrail/record", "SystemLogLevel": "INFO"}

    with requests_of("lambda", "CreateFunction") as requests:
        deploy(deployer, LoggingConfig=logging, EphemeralStorage={"Size": "1024"})

    assert requests[0]["LoggingConfig"] == logging
    assert requests[0]["EphemeralStorage"] == {"Size": 1024}


def test_inline_code_becomes_a_module(deployer: Deployer) -> None:
    with requests_of("lambda", "CreateFunction") as requests:
        deploy(deployer)

    with zipfile.ZipFile(io.BytesIO(requests[0]["Code"]["ZipFile"])) as made:
        assert made.namelist() == ["index.py"]
        assert made.read("index.py") == BASE["Code"]["ZipFile"].encode()


def test_inline_code_of_a_compiled_runtime_is_refused(deployer: Deployer) -> None:
    with pytest.raises(DeployError, match="inline code is not supported for runtime 'java21'"):
        deploy(deployer, Runtime="java21")


def test_code_and_configuration_change_in_place(deployer: Deployer) -> None:
    before = deploy(deployer, Code=upload(deployer, "one.zip", index="x = 1"), Timeout=10)

    after = deploy(
        deployer, Code=upload(deployer, "two.zip", index="x = 22"), Environment={"Variables": {"A": "1"}}
    )

    assert after["Configuration"]["FunctionArn"] == before["Configuration"]["FunctionArn"]
    assert after["Configuration"]["CodeSha256"] != before["Configuration"]["CodeSha256"]
    assert after["Configuration"]["Timeout"] == 3
    assert after["Configuration"]["Environment"]["Variables"] == {"A": "1"}
    assert "Function: UPDATE_COMPLETE" in deployer.statuses()


def test_unchanged_code_is_not_sent_again(deployer: Deployer) -> None:
    deploy(deployer)

    with requests_of("lambda", "UpdateFunctionCode") as requests:
        deploy(deployer, MemorySize=256)

    assert requests == []


def test_missing_code_fails_the_function(deployer: Deployer) -> None:
    upload(deployer, "there.zip", index="")

    with pytest.raises(
        DeployError, match=r"Function \(AWS::Lambda::Function\): no code at s3://assets/missing.zip"
    ):
        deploy(deployer, Code={"S3Bucket": "assets", "S3Key": "missing.zip"})

    assert deployer.clients("lambda").list_functions()["Functions"] == []


def test_concurrency_limit_goes(deployer: Deployer) -> None:
    deploy(deployer, ReservedConcurrentExecutions=1)

    assert "Concurrency" not in deploy(deployer)


def test_layer_version_is_published_and_replaced(deployer: Deployer) -> None:
    def layer(key: str) -> dict[str, Any]:
        content = upload(deployer, key, extra=key)
        return {
            "Layer": resource(
                "AWS::Lambda::LayerVersion",
                LayerName="dependencies",
                Content=content,
                CompatibleRuntimes=["python3.13"],
                CompatibleArchitectures=["arm64"],
            )
        }

    def arns(found: Any) -> list[str]:
        return [one["Arn"] for one in found["Configuration"]["Layers"]]

    prefix = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:dependencies"
    assert arns(deploy(deployer, layer("one.zip"), Layers=[{"Ref": "Layer"}])) == [f"{prefix}:1"]
    assert arns(deploy(deployer, layer("two.zip"), Layers=[{"Ref": "Layer"}])) == [f"{prefix}:2"]

    versions = deployer.clients("lambda").list_layer_versions(LayerName="dependencies")["LayerVersions"]
    assert [version["Version"] for version in versions] == [2]


def test_permission(deployer: Deployer) -> None:
    permission = resource(
        "AWS::Lambda::Permission",
        Action="lambda:InvokeFunction",
        FunctionName={"Fn::GetAtt": ["Function", "Arn"]},
        Principal="events.amazonaws.com",
        SourceArn=f"arn:aws:events:{REGION}:{ACCOUNT}:rule/clock",
    )
    deploy(deployer, {"Permission": permission})

    def statements() -> Any:
        return json.loads(deployer.clients("lambda").get_policy(FunctionName="record")["Policy"])["Statement"]

    assert [one["Principal"] for one in statements()] == [{"Service": "events.amazonaws.com"}]
    assert statements()[0]["Condition"]["ArnLike"]["AWS:SourceArn"].endswith("rule/clock")

    deploy(deployer)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        statements()


def test_event_source_mapping_changes_in_place(deployer: Deployer) -> None:
    def mapping(**properties: Any) -> dict[str, Any]:
        made = resource(
            "AWS::Lambda::EventSourceMapping",
            EventSourceArn={"Fn::GetAtt": ["Queue", "Arn"]},
            FunctionName={"Ref": "Function"},
            **properties,
        )
        return {"Queue": resource("AWS::SQS::Queue"), "Mapping": made}

    def shown() -> Any:
        (found,) = deployer.clients("lambda").list_event_source_mappings(FunctionName="record")[
            "EventSourceMappings"
        ]
        return found

    deploy(
        deployer,
        mapping(
            BatchSize="10",
            MaximumBatchingWindowInSeconds="5",
            FunctionResponseTypes=["ReportBatchItemFailures"],
            ScalingConfig={"MaximumConcurrency": "2"},
        ),
    )
    first = shown()
    assert (first["BatchSize"], first["MaximumBatchingWindowInSeconds"]) == (10, 5)
    assert first["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert first["ScalingConfig"] == {"MaximumConcurrency": 2}

    deploy(deployer, mapping(BatchSize=5, Enabled=False))
    second = shown()
    assert second["UUID"] == first["UUID"]
    assert (second["BatchSize"], second["State"]) == (5, "Disabled")

    deploy(deployer)
    assert deployer.clients("lambda").list_event_source_mappings()["EventSourceMappings"] == []


def test_asynchronous_invocation_settings(deployer: Deployer) -> None:
    config = resource(
        "AWS::Lambda::EventInvokeConfig",
        FunctionName={"Ref": "Function"},
        Qualifier="$LATEST",
        MaximumRetryAttempts="1",
        DestinationConfig={"OnFailure": {"Destination": {"Fn::GetAtt": ["Queue", "Arn"]}}},
    )

    deploy(deployer, {"Config": config, "Queue": resource("AWS::SQS::Queue", QueueName="failed")})

    found = deployer.clients("lambda").get_function_event_invoke_config(
        FunctionName="record", Qualifier="$LATEST"
    )
    assert found["MaximumRetryAttempts"] == 1
    assert found["DestinationConfig"]["OnFailure"]["Destination"] == f"arn:aws:sqs:{REGION}:{ACCOUNT}:failed"


@pytest.mark.parametrize(
    ("properties", "path"),
    [
        ({"Oops": 1}, "Oops"),
        ({"Code": {"ZipFile": "x", "Oops": 1}}, r"Code\.Oops"),
        ({"LoggingConfig": {"Oops": 1}}, r"LoggingConfig\.Oops"),
    ],
)
def test_unknown_property_is_refused(deployer: Deployer, properties: dict[str, Any], path: str) -> None:
    with pytest.raises(
        DeployError, match=rf"Function \(AWS::Lambda::Function\): property {path} is not supported"
    ):
        deploy(deployer, **properties)


def test_settings_that_only_a_new_function_can_have(deployer: Deployer) -> None:
    deploy(deployer)

    with pytest.raises(
        DeployError, match="property CodeSigningConfigArn cannot be changed or removed in place"
    ):
        deploy(deployer, CodeSigningConfigArn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-0")


def test_asynchronous_invocation_settings_go(deployer: Deployer) -> None:
    config = resource(
        "AWS::Lambda::EventInvokeConfig",
        FunctionName={"Ref": "Function"},
        Qualifier="$LATEST",
        MaximumRetryAttempts=1,
    )
    deploy(deployer, {"Config": config})

    deploy(deployer)

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        deployer.clients("lambda").get_function_event_invoke_config(
            FunctionName="record", Qualifier="$LATEST"
        )


def test_function_without_code_is_refused(deployer: Deployer) -> None:
    with pytest.raises(DeployError, match=r"It \(AWS::Lambda::Function\): property Code is required"):
        deployer.one(FUNCTION, Role="arn:role")
