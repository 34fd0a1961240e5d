"""The fixture ``opentrail``: calls are recorded, and what they set off has happened after a flush."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from opentrail.errors import FormatError, OpenTrailError
from opentrail.testing.world import OpenTrail

SESSION: Any = boto3  # its stubs know only literal names of services
EARLY = SESSION.client("sqs", region_name="us-east-1")
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
)
kept: list[Any] = []


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["eventName"] for event in events]


def test_calls_are_recorded_at_once_in_their_order(opentrail: OpenTrail) -> None:
    opentrail.client("iam").create_user(UserName="bob")
    opentrail.client("sqs").create_queue(QueueName="inbox")

    first, second = opentrail.events()

    assert (first["eventSource"], first["eventName"]) == ("iam.amazonaws.com", "CreateUser")
    assert first["requestParameters"] == {"userName": "bob"}
    assert (second["eventSource"], second["eventName"]) == ("sqs.amazonaws.com", "CreateQueue")


@pytest.mark.parametrize("turn", ["first", "second"])
def test_every_test_begins_with_nothing(opentrail: OpenTrail, turn: str) -> None:
    iam = opentrail.client("iam")

    assert opentrail.events() == []
    assert iam.list_users()["Users"] == []

    iam.create_user(UserName="bob")
    opentrail.trail().events()
    assert opentrail.flush()["events"] == 2


def test_filters_are_all_applied(opentrail: OpenTrail) -> None:
    iam = opentrail.client("iam")
    iam.create_user(UserName="bob")
    with pytest.raises(ClientError):
        iam.create_user(UserName="bob")
    opentrail.client("sqs").create_queue(QueueName="inbox")

    assert len(opentrail.events("CreateUser")) == 2
    assert len(opentrail.events("CreateUser", error="")) == 1
    assert len(opentrail.events(error="EntityAlreadyExistsException")) == 1
    assert names(opentrail.events(source="sqs")) == ["CreateQueue"]
    assert names(opentrail.events(source="sqs.amazonaws.com")) == ["CreateQueue"]
    assert opentrail.events("CreateUser", source="sqs") == []
    bob = {"source": ["aws.iam"], "detail": {"requestParameters": {"userName": [{"prefix": "b"}]}}}
    assert len(opentrail.events(pattern=bob, error="")) == 1


def test_a_pattern_that_is_none_is_refused(opentrail: OpenTrail) -> None:
    with pytest.raises(FormatError):
        opentrail.events(pattern={"source": "aws.iam"})


def test_forgotten_events_are_not_shown(opentrail: OpenTrail) -> None:
    opentrail.client("iam").create_user(UserName="bob")
    opentrail.forget()
    opentrail.client("iam").delete_user(UserName="bob")

    assert names(opentrail.events()) == ["DeleteUser"]


def test_users_and_sessions_are_the_callers(opentrail: OpenTrail) -> None:
    iam = opentrail.client("iam")
    iam.create_user(UserName="bob")
    bob = iam.create_access_key(UserName="bob")["AccessKey"]
    role = iam.create_role(RoleName="Ops", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    opentrail.forget()

    answer = opentrail.client("sts", credentials=bob).assume_role(RoleArn=role, RoleSessionName="night")
    opentrail.client("sqs", credentials=answer["Credentials"]).create_queue(QueueName="inbox")

    assume, create = (event["userIdentity"] for event in opentrail.events())
    assert (assume["type"], assume["userName"]) == ("IAMUser", "bob")
    assert (create["type"], create["arn"]) == (
        "AssumedRole",
        f"arn:aws:sts::{opentrail.account}:assumed-role/Ops/night",
    )


def test_a_role_of_another_account_leaves_a_record_in_both(opentrail: OpenTrail) -> None:
    opentrail.client("sts").assume_role(RoleArn="arn:aws:iam::111122223333:role/there", RoleSessionName="me")

    recipients = {event["recipientAccountId"] for event in opentrail.events("AssumeRole")}

    assert recipients == {opentrail.account, "111122223333"}


def test_regions_are_those_of_the_client(opentrail: OpenTrail) -> None:
    opentrail.client("sqs", region="eu-west-1").create_queue(QueueName="inbox")

    assert [event["awsRegion"] for event in opentrail.events()] == ["eu-west-1"]


def test_clients_of_any_kind_and_age_are_recorded(opentrail: OpenTrail) -> None:
    SESSION.client("iam").create_user(UserName="bob")
    SESSION.resource("dynamodb").meta.client.list_tables()
    EARLY.create_queue(QueueName="inbox")

    assert names(opentrail.events()) == ["CreateUser", "ListTables", "CreateQueue"]


def test_s3_is_understood_by_its_virtual_hosts(opentrail: OpenTrail) -> None:
    s3 = SESSION.client("s3")
    s3.create_bucket(Bucket="my-things")
    s3.put_object(Bucket="my-things", Key="a b/ü+c", Body=b"body")

    create, put = opentrail.events()

    assert s3.get_object(Bucket="my-things", Key="a b/ü+c")["Body"].read() == b"body"
    assert create["requestParameters"]["bucketName"] == "my-things"
    assert (put["requestParameters"]["bucketName"], put["requestParameters"]["key"]) == (
        "my-things",
        "a b/ü+c",
    )


def test_a_trail_has_the_records_after_a_flush(opentrail: OpenTrail) -> None:
    trail = opentrail.trail()
    opentrail.client("iam").create_user(UserName="bob")
    opentrail.client("iam").list_users()
    assert trail.events() == []

    counts = opentrail.flush()

    assert counts == {"events": 2, "chunks": 1, "failed": 0, "insights": 0, "digests": 0}
    assert sorted(names(trail.events())) == ["CreateUser", "ListUsers"]
    assert trail.events("CreateUser") == opentrail.events("CreateUser")
    assert len(trail.log_files()) == 1


def test_making_a_trail_leaves_no_events(opentrail: OpenTrail) -> None:
    trail = opentrail.trail()
    opentrail.flush()

    assert opentrail.events() == []
    assert trail.events() == []


def test_a_digest_is_made_when_asked_for(opentrail: OpenTrail) -> None:
    trail = opentrail.trail()
    opentrail.client("iam").create_user(UserName="bob")

    counts = opentrail.flush(digest=True)

    (key,) = trail.digests()
    digest = json.loads(trail.read(key))
    assert counts["digests"] == 1
    assert [file["s3Object"] for file in digest["logFiles"]] == trail.log_files()


def test_a_trail_takes_only_what_its_selectors_select(opentrail: OpenTrail) -> None:
    reads_of_keys = {
        "Name": "objects",
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        ],
    }
    trail = opentrail.trail("objects", AdvancedEventSelectors=[reads_of_keys])
    s3 = opentrail.client("s3")
    s3.create_bucket(Bucket="my-things")
    s3.put_object(Bucket="my-things", Key="k", Body=b"body")

    opentrail.flush()

    assert names(trail.events()) == ["PutObject"]


def test_a_delivery_that_fails_is_counted_and_spares_the_others(opentrail: OpenTrail) -> None:
    broken, whole = opentrail.trail("broken"), opentrail.trail("whole")
    opentrail.client("iam").create_user(UserName="bob")
    opentrail.client("s3").delete_bucket(Bucket=broken.bucket)

    counts = opentrail.flush()

    assert counts["failed"] == 1
    assert len(whole.events("CreateUser")) == 1


def test_two_trails_live_side_by_side(opentrail: OpenTrail) -> None:
    one, two = opentrail.trail("one"), opentrail.trail("two", S3BucketName=opentrail.trail("zero").bucket)
    opentrail.client("iam").create_user(UserName="bob")

    opentrail.flush()

    assert names(one.events()) == ["CreateUser"]
    assert one.bucket != two.bucket


def test_a_refused_trail_says_why(opentrail: OpenTrail) -> None:
    with pytest.raises(ClientError, match="InvalidTrailName"):
        opentrail.trail("-")


@mock_aws
def test_inside_mock_aws_everything_is_recorded(opentrail: OpenTrail) -> None:
    trail = opentrail.trail()
    SESSION.client("iam").create_user(UserName="bob")
    with mock_aws():
        SESSION.client("iam").create_user(UserName="eve")

    opentrail.flush()

    assert len(trail.events("CreateUser")) == 2


@pytest.fixture
def earlier() -> Iterator[Any]:
    """A user's own mock, with something in it, around the fixture."""
    with mock_aws():
        client = SESSION.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="already-there")
        yield client


def test_what_a_mock_around_it_holds_stays(earlier: Any, opentrail: OpenTrail) -> None:
    earlier.create_bucket(Bucket="new")

    assert {bucket["Name"] for bucket in earlier.list_buckets()["Buckets"]} >= {"already-there", "new"}
    assert names(opentrail.events("CreateBucket")) == ["CreateBucket"]


@mock_aws
def test_mock_aws_alone_is_as_it_was() -> None:
    SESSION.client("iam").create_user(UserName="bob")

    assert [user["UserName"] for user in SESSION.client("iam").list_users()["Users"]] == ["bob"]


def test_the_environment_is_that_of_a_test(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    opentrail = request.getfixturevalue("opentrail")
    SESSION.client("iam").create_user(UserName="bob")

    assert names(opentrail.events()) == ["CreateUser"]
    assert "AWS_PROFILE" not in os.environ


def test_clients_of_a_finished_test_say_so_before(opentrail: OpenTrail) -> None:
    kept.append(opentrail.client("iam"))


def test_clients_of_a_finished_test_say_so_after() -> None:
    with pytest.raises(OpenTrailError, match="its test was over"):
        kept[0].list_users()
