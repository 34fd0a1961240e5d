"""Services hosted behind API Gateway, and what moto's parsers and routes leave to correct."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.capture.oracle import Laptop, last

CLUSTER = "arn:aws:kafka:us-east-1:123456789012:cluster/demo/11111111-2222-3333-4444-555555555555-1"


def refused(laptop: Laptop, service: str, method: str, **parameters: Any) -> dict[str, Any]:
    """The record of a call that fails."""
    with pytest.raises(ClientError):
        getattr(laptop.client(service), method)(**parameters)
    return last(laptop)


def test_path_values_stay_percent_encoded(laptop: Laptop) -> None:
    record = refused(laptop, "kafka", "list_nodes", ClusterArn=CLUSTER)

    assert record["requestParameters"] == {"clusterArn": CLUSTER.replace(":", "%3A").replace("/", "%2F")}


def test_path_names_are_those_of_the_path(laptop: Laptop) -> None:
    record = refused(
        laptop, "eks", "create_access_entry", clusterName="c", principalArn="arn:aws:iam::123456789012:role/r"
    )

    assert record["requestParameters"] == {"name": "c", "principalArn": "arn:aws:iam::123456789012:role/r"}


def test_body_names_are_those_on_the_wire(laptop: Laptop) -> None:
    laptop.client("securityhub").enable_security_hub(EnableDefaultStandards=False)

    assert last(laptop)["requestParameters"] == {"EnableDefaultStandards": False}


def test_error_is_the_answer_itself(laptop: Laptop) -> None:
    record = refused(laptop, "eks", "describe_cluster", name="none")

    assert record["errorCode"] == "ResourceNotFoundException"
    assert "errorMessage" not in record
    assert record["responseElements"]["message"] == "No cluster found for name: none."


def test_list_that_the_query_does_not_name_is_absent(laptop: Laptop) -> None:
    api = laptop.client("apigateway")
    rest_api = api.create_rest_api(name="a")["id"]
    root = api.get_resources(restApiId=rest_api)["items"][0]["id"]

    api.get_resource(restApiId=rest_api, resourceId=root)

    assert last(laptop)["requestParameters"] == {
        "restApiId": rest_api,
        "resourceId": root,
        "template": False,
    }


def test_operation_without_a_route_fails_by_its_protocol(laptop: Laptop) -> None:
    with pytest.raises(ClientError) as caught:
        laptop.client("guardduty").list_coverage(DetectorId="d")

    assert caught.value.response["Error"] == {
        "Code": "InternalFailure",
        "Message": "ListCoverage of guardduty is not simulated",
    }


def test_table_that_is_deleted_no_longer_shows_its_schema(laptop: Laptop) -> None:
    laptop.client("dynamodb").create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    made = last(laptop)["responseElements"]["tableDescription"]

    laptop.client("dynamodb").delete_table(TableName="t")

    gone = last(laptop)["responseElements"]["tableDescription"]
    assert set(made) - set(gone) == {
        "attributeDefinitions",
        "creationDateTime",
        "keySchema",
        "warmThroughput",
    }
    assert "billingModeSummary" not in made


def test_password_of_a_new_database_is_a_hidden_pending_change(laptop: Laptop) -> None:
    laptop.client("rds").create_db_instance(
        DBInstanceIdentifier="d",
        DBInstanceClass="db.t3.micro",
        Engine="mysql",
        AllocatedStorage=20,
        MasterUsername="admin",
        MasterUserPassword="passw0rd1",
    )

    answer = last(laptop)["responseElements"]
    assert answer["pendingModifiedValues"] == {"masterUserPassword": "HIDDEN_DUE_TO_SECURITY_REASONS"}
    assert "endpoint" not in answer
    vpcs = laptop.client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    assert answer["dBSubnetGroup"]["vpcId"] == vpcs[0]["VpcId"]
    assert "passw0rd1" not in laptop.captured[-1].detail.decode()


def test_app_client_is_shown_and_its_users_password_is_not(laptop: Laptop) -> None:
    record = refused(
        laptop,
        "cognito-idp",
        "initiate_auth",
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId="1example23456789",
        AuthParameters={"USERNAME": "u", "PASSWORD": "passw0rd1"},
    )

    assert record["requestParameters"] == {
        "authFlow": "USER_PASSWORD_AUTH",
        "clientId": "1example23456789",
        "authParameters": "HIDDEN_DUE_TO_SECURITY_REASONS",
    }
