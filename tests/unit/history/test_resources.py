"""Resources: what was seen in real answers, what must stay empty, and that every rule is well formed."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.branches.history.attributes import has_value, read_record, user_name, values_of
from opentrail.branches.history.resources import Named, resources_of
from tests.support.records import make_record, sample_lines, to_bytes

TABLE: dict[str, Any] = tomllib.loads(
    (files("opentrail.branches.history") / "data" / "resources.toml").read_text()
)
ROLE = "arn:aws:iam::123456789012:role/Deploy"
SESSION = "arn:aws:sts::123456789012:assumed-role/Deploy/ci"


def named(source: str, name: str, request: Any = None, response: Any = None) -> list[tuple[str, str]]:
    """(type without ``AWS::``, name) of each resource."""
    sides = (json.dumps(side).encode() for side in (request, response))
    found = resources_of(f"{source}.amazonaws.com", name, *sides)
    return [(resource.type.removeprefix("AWS::"), resource.name) for resource in found]


def test_assume_role_as_seen() -> None:
    request = {"roleArn": ROLE, "roleSessionName": "ci"}
    user = {"assumedRoleId": "AROAEXAMPLE:ci", "arn": SESSION}
    response = {"credentials": {"accessKeyId": "ASIAEXAMPLE"}, "assumedRoleUser": user}

    assert named("sts", "AssumeRole", request, response) == [
        ("IAM::AccessKey", "ASIAEXAMPLE"),
        ("STS::AssumedRole", "AROAEXAMPLE:ci"),
        ("STS::AssumedRole", "ci"),
        ("STS::AssumedRole", SESSION),
        ("IAM::Role", ROLE),
    ]


@pytest.mark.parametrize("name", ["StopLogging", "GetTrailStatus"])
@pytest.mark.parametrize("trail", ["audit", "arn:aws:cloudtrail:us-east-1:123456789012:trail/audit"])
def test_a_trail_is_named_as_it_was_passed(name: str, trail: str) -> None:
    assert named("cloudtrail", name, {"name": trail}) == [("CloudTrail::Trail", trail)]


def test_a_read_of_launch_templates_has_resources() -> None:
    request = {"DescribeLaunchTemplateVersionsRequest": {"LaunchTemplateId": {"tag": 1, "content": "lt-1"}}}

    assert named("ec2", "DescribeLaunchTemplateVersions", request) == [("EC2::LaunchTemplate", "lt-1")]


@pytest.mark.parametrize(
    ("source", "name", "request_parameters"),
    [
        ("kms", "Decrypt", {"keyId": "k"}),
        ("kms", "GenerateDataKeyWithoutPlaintext", {"keyId": "k"}),
        ("ec2", "DescribeInstanceStatus", {"instancesSet": {"items": [{"instanceId": "i-1"}]}}),
        ("rds", "DescribeDBInstances", {"dBInstanceIdentifier": "db"}),
        ("elasticloadbalancing", "DescribeLoadBalancers", {"loadBalancerName": "web"}),
        ("signin", "ConsoleLogin", None),
        ("cloudtrail", "LookupEvents", {"name": "x"}),
    ],
)
def test_calls_that_were_seen_without_resources(source: str, name: str, request_parameters: Any) -> None:
    assert named(source, name, request_parameters) == []


def test_instances_that_are_run_name_everything_they_touch() -> None:
    request = {"instancesSet": {"items": [{"imageId": "ami-1", "minCount": 1}]}, "subnetId": "subnet-1"}
    started = {
        "instanceId": "i-1",
        "imageId": "ami-1",
        "vpcId": "vpc-1",
        "subnetId": "subnet-1",
        "keyName": "mine",
        "groupSet": {"items": [{"groupId": "sg-1"}]},
    }

    assert named("ec2", "RunInstances", request, {"instancesSet": {"items": [started]}}) == [
        ("EC2::VPC", "vpc-1"),
        ("EC2::Ami", "ami-1"),
        ("EC2::Subnet", "subnet-1"),
        ("EC2::SecurityGroup", "sg-1"),
        ("EC2::Instance", "i-1"),
        ("EC2::KeyPair", "mine"),
    ]


def test_tags_name_resources_by_their_kind_of_id() -> None:
    request = {"resourcesSet": {"items": [{"resourceId": "i-1"}, {"resourceId": "vol-1"}]}}

    assert named("ec2", "CreateTags", request) == [("EC2::Instance", "i-1"), ("EC2::Volume", "vol-1")]


@pytest.mark.parametrize("name", ["CreateFunction20150331", "UpdateFunctionCode20150331v2", "GetFunction"])
def test_versions_in_event_names_do_not_matter(name: str) -> None:
    assert named("lambda", name, {"functionName": "f"}) == [("Lambda::Function", "f")]


@pytest.mark.parametrize(
    ("source", "name", "request_parameters", "expected"),
    [
        ("iam", "CreateUser", {"userName": "bob"}, [("IAM::User", "bob")]),
        ("s3", "CreateBucket", {"bucketName": "b"}, [("S3::Bucket", "b")]),
        ("dynamodb", "CreateTable", {"tableName": "t"}, [("DynamoDB::Table", "t")]),
        ("sns", "CreateTopic", {"name": "t"}, [("SNS::Topic", "t")]),
        ("sqs", "DeleteQueue", {"queueUrl": "u"}, [("SQS::Queue", "u")]),
        ("cloudformation", "CreateStack", {"stackName": "s"}, [("CloudFormation::Stack", "s")]),
        ("logs", "CreateLogGroup", {"logGroupName": "g"}, [("Logs::LogGroup", "g")]),
        ("rds", "DeleteDBInstance", {"dBInstanceIdentifier": "d"}, [("RDS::DBInstance", "d")]),
        ("kms", "ScheduleKeyDeletion", {"keyId": "k"}, [("KMS::Key", "k")]),
        ("eks", "CreateCluster", {"name": "c"}, [("EKS::Cluster", "c")]),
        ("eks", "CreateAddon", {"name": "a", "clusterName": "c"}, [("EKS::Cluster", "c")]),
    ],
)
def test_services(source: str, name: str, request_parameters: Any, expected: list[tuple[str, str]]) -> None:
    assert named(source, name, request_parameters) == expected


@pytest.mark.parametrize("source", TABLE)
def test_rules_are_well_formed(source: str) -> None:
    entry = TABLE[source]

    assert entry.keys() <= {"except", "rules"}
    for rule in entry["rules"]:
        assert rule.keys() <= {"type", "paths", "events", "prefix", "always"}
        assert re.fullmatch(r"AWS::\w+::\w+", rule["type"])
        assert all(re.fullmatch(r"(request|response)(\.(\*\*|\w+(\[\])?))+", path) for path in rule["paths"])
        assert all("**" not in path or path.count(".") == 2 for path in rule["paths"])


def test_types_are_cloudformations_own() -> None:
    services = {rule["type"].split("::")[1] for entry in TABLE.values() for rule in entry["rules"]}

    assert len(services) > 35


def test_odd_parameters_name_nothing() -> None:
    assert named("iam", "CreateUser", {"userName": {"a": 1}}) == []
    assert named("iam", "CreateUser", ["userName"]) == []
    assert named("iam", "CreateUser", {"userName": ""}) == []
    assert resources_of("iam.amazonaws.com", "CreateUser", b"{", b"null") == ()
    assert resources_of("iam.amazonaws.com", "CreateUser", b"[" * 5000, b"null") == ()


def test_deep_parameters_name_nothing() -> None:
    deep = b'{"a":' * 900 + b'{"vpcId":"vpc-1"}' + b"}" * 900

    assert resources_of("ec2.amazonaws.com", "CreateSubnet", deep, b"null") in (
        (),
        (Named("AWS::EC2::VPC", "vpc-1"),),
    )


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        ({"type": "IAMUser", "userName": "alice"}, "alice"),
        ({"type": "Root", "userName": "alias", "arn": "arn:aws:iam::123456789012:root"}, "root"),
        ({"type": "AssumedRole", "arn": SESSION}, "ci"),
        ({"type": "AssumedRole", "principalId": "AROAEXAMPLE:ci"}, "ci"),
        ({"type": "FederatedUser", "arn": "arn:aws:sts::123456789012:federated-user/eve"}, "eve"),
        ({"type": "WebIdentityUser", "userName": "accounts.google.com"}, "accounts.google.com"),
        ({"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}, ""),
        ({"type": "AWSAccount", "accountId": "123456789012"}, ""),
        ({}, ""),
    ],
)
def test_user_names(identity: dict[str, str], expected: str) -> None:
    assert user_name(read_record(to_bytes(make_record(userIdentity=identity))).identity) == expected


def test_looking_up_agrees_with_what_is_answered_for_every_real_record() -> None:
    for line in sample_lines():
        record = read_record(line)
        for attribute, values in values_of([record]).items():
            assert all(has_value(record, attribute, value) for value in values)
        assert {r.type for r in record.resources} == values_of([record])["ResourceType"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["instanceId", "items", "content", "item", "a"]), inner)
        ),
    )
)
def test_no_parameters_break_it(value: Any) -> None:
    for name, text in named("ec2", "RunInstances", value, value):
        assert (name, text[:2]) == ("EC2::Instance", "i-")
