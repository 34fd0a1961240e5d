"""Log groups, filters, alarms, dashboards, parameters: what is asked for is what the service shows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opentrail.errors import DeployError
from tests.adapters.deployer.conftest import ACCOUNT, REGION, Deployer, requests_of, resource

GROUP = "AWS::Logs::LogGroup"
ALARM: dict[str, Any] = {
    "AlarmName": "late",
    "Namespace": "OpenTrail",
    "MetricName": "Late",
    "Dimensions": [{"Name": "service", "Value": "deliver"}],
    "Statistic": "Sum",
    "Period": "60",
    "EvaluationPeriods": 1,
    "Threshold": "0.5",
    "ComparisonOperator": "GreaterThanThreshold",
    "ActionsEnabled": "false",
}


def group_of(deployer: Deployer, name: str) -> Any:
    """Return what CloudWatch Logs says about a log group."""
    (found,) = deployer.clients("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return found


def test_log_group_changes_in_place(deployer: Deployer) -> None:
    def deploy(**properties: Any) -> Any:
        name = deployer.one(GROUP, LogGroupName="/opentrail/record", KmsKeyId="arn:aws:kms:key", **properties)
        return group_of(deployer, name)

    first = deploy(RetentionInDays="731")
    assert (first["retentionInDays"], first["kmsKeyId"]) == (731, "arn:aws:kms:key")

    assert deploy(RetentionInDays=30, Tags=[{"Key": "k", "Value": "v"}])["retentionInDays"] == 30
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/opentrail/record"
    assert deployer.clients("logs").list_tags_for_resource(resourceArn=arn)["tags"] == {"k": "v"}

    last = deploy()
    assert "retentionInDays" not in last
    assert last["creationTime"] == first["creationTime"]


def test_key_of_a_log_group_changes_in_place(deployer: Deployer) -> None:
    calls: list[tuple[str, dict[str, str]]] = []

    class Keyed:
        """CloudWatch Logs with the two operations moto does not have."""

        def __getattr__(self, name: str) -> Any:
            return getattr(deployer.clients("logs"), name)

        def associate_kms_key(self, **request: str) -> None:
            calls.append(("associate", request))

        def disassociate_kms_key(self, **request: str) -> None:
            calls.append(("disassociate", request))

    over = Deployer(lambda service: Keyed() if service == "logs" else deployer.clients(service))
    for key in ({}, {"KmsKeyId": "arn:key"}, {}):
        over.one(GROUP, LogGroupName="g", **key)

    assert calls == [
        ("associate", {"logGroupName": "g", "kmsKeyId": "arn:key"}),
        ("disassociate", {"logGroupName": "g"}),
    ]


def test_attribute_of_a_log_group(deployer: Deployer) -> None:
    output = {"Arn": {"Value": {"Fn::GetAtt": ["It", "Arn"]}}}

    state = deployer.deploy({"It": resource(GROUP, LogGroupName="g")}, Outputs=output)

    assert state.outputs["Arn"] == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:g:*"


def test_metric_filter_changes_in_place(deployer: Deployer) -> None:
    def resources(pattern: str) -> dict[str, Any]:
        transformation = {
            "MetricName": "Errors",
            "MetricNamespace": "OpenTrail",
            "MetricValue": 1,
            "Dimensions": [{"Key": "level", "Value": "$.level"}],
        }
        counted = resource(
            "AWS::Logs::MetricFilter",
            LogGroupName={"Ref": "Group"},
            FilterPattern=pattern,
            MetricTransformations=[transformation],
        )
        return {"Group": resource(GROUP, LogGroupName="g"), "Filter": counted}

    def shown() -> Any:
        return deployer.clients("logs").describe_metric_filters(logGroupName="g")["metricFilters"]

    with requests_of("logs", "PutMetricFilter") as requests:
        deployer.deploy(resources("ERROR"))
    assert [one["filterPattern"] for one in shown()] == ["ERROR"]
    assert shown()[0]["metricTransformations"][0]["metricValue"] == "1"
    assert requests[0]["metricTransformations"][0]["dimensions"] == {"level": "$.level"}

    deployer.deploy(resources("WARN"))
    assert [one["filterPattern"] for one in shown()] == ["WARN"]

    deployer.deploy({"Group": resource(GROUP, LogGroupName="g")})
    assert shown() == []


def test_log_resource_policy(deployer: Deployer) -> None:
    document = {"Version": "2012-10-17", "Statement": []}

    deployer.one("AWS::Logs::ResourcePolicy", PolicyName="events", PolicyDocument=document)

    (found,) = deployer.clients("logs").describe_resource_policies()["resourcePolicies"]
    assert (found["policyName"], json.loads(found["policyDocument"])) == ("events", document)
    deployer.engine.delete("Stack")
    assert deployer.clients("logs").describe_resource_policies()["resourcePolicies"] == []


def test_subscription_filter(deployer: Deployer) -> None:
    sent = resource(
        "AWS::Logs::SubscriptionFilter",
        FilterName="all",
        LogGroupName={"Ref": "Group"},
        FilterPattern="",
        DestinationArn=f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/calls",
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/r",
    )
    deployer.clients("kinesis").create_stream(StreamName="calls", ShardCount=1)

    deployer.deploy({"Group": resource(GROUP, LogGroupName="g"), "Sub": sent})

    (found,) = deployer.clients("logs").describe_subscription_filters(logGroupName="g")["subscriptionFilters"]
    assert found["filterName"] == "all"


def alarm_of(deployer: Deployer) -> Any:
    """Return the only alarm there is."""
    (found,) = deployer.clients("cloudwatch").describe_alarms()["MetricAlarms"]
    return found


def test_alarm_changes_in_place(deployer: Deployer) -> None:
    deployer.one("AWS::CloudWatch::Alarm", **ALARM, Tags=[{"Key": "k", "Value": "old"}])
    found = alarm_of(deployer)
    assert (found["Threshold"], found["Period"], found["ActionsEnabled"]) == (0.5, 60, False)
    assert found["Dimensions"] == ALARM["Dimensions"]

    deployer.one("AWS::CloudWatch::Alarm", **{**ALARM, "Threshold": 2}, Tags=[{"Key": "k", "Value": "new"}])
    found = alarm_of(deployer)
    assert found["Threshold"] == 2.0
    tags = deployer.clients("cloudwatch").list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"]
    assert tags == [{"Key": "k", "Value": "new"}]

    deployer.engine.delete("Stack")
    assert deployer.clients("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_dashboard(deployer: Deployer) -> None:
    name = deployer.one("AWS::CloudWatch::Dashboard", DashboardName="trail", DashboardBody={"widgets": []})

    body = deployer.clients("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    assert json.loads(body) == {"widgets": []}


def test_parameter_changes_in_place(deployer: Deployer) -> None:
    def deploy(value: str, *tags: str) -> str:
        made = resource(
            "AWS::SSM::Parameter", Name="/trail", Type="String", Value=value, Tags=dict.fromkeys(tags, "v")
        )
        output = {"Value": {"Value": {"Fn::GetAtt": ["It", "Value"]}}}
        return deployer.deploy({"It": made}, Outputs=output).outputs["Value"]

    def shown() -> tuple[str, list[str]]:
        ssm = deployer.clients("ssm")
        tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/trail")["TagList"]
        return ssm.get_parameter(Name="/trail")["Parameter"]["Value"], sorted(tag["Key"] for tag in tags)

    assert deploy("one", "a", "b") == "one"
    assert shown() == ("one", ["a", "b"])
    assert deploy("two", "b", "c") == "two"
    assert shown() == ("two", ["b", "c"])


def test_parameter_that_exists_is_not_taken_over(deployer: Deployer) -> None:
    deployer.clients("ssm").put_parameter(Name="/trail", Value="theirs", Type="String")

    with pytest.raises(DeployError, match="ParameterAlreadyExists"):
        deployer.one("AWS::SSM::Parameter", Name="/trail", Type="String", Value="ours")

    assert deployer.clients("ssm").get_parameter(Name="/trail")["Parameter"]["Value"] == "theirs"


def test_cdk_metadata_makes_nothing(deployer: Deployer) -> None:
    assert deployer.one("AWS::CDK::Metadata", Analytics="v2:deflate64:abc") == "It"

    with pytest.raises(DeployError, match="property Oops is not supported"):
        deployer.one("AWS::CDK::Metadata", Oops=1)


@pytest.mark.parametrize(
    ("type_name", "properties", "path"),
    [
        (GROUP, {"Oops": 1}, "Oops"),
        (
            "AWS::Logs::MetricFilter",
            {"MetricTransformations": [{"Oops": 1}]},
            r"MetricTransformations\[0\]\.Oops",
        ),
        ("AWS::CloudWatch::Alarm", {"Dimensions": [{"Oops": 1}]}, r"Dimensions\[0\]\.Oops"),
        ("AWS::SSM::Parameter", {"Type": "String", "Value": "v", "Oops": 1}, "Oops"),
    ],
)
def test_unknown_property_is_refused(
    deployer: Deployer, type_name: str, properties: dict[str, Any], path: str
) -> None:
    with pytest.raises(DeployError, match=rf"It \({type_name}\): property {path} is not supported"):
        deployer.one(type_name, **properties)
