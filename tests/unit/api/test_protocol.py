"""Bodies in, bodies out: what is read, what is refused, what is written."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from opentrail.api.protocol import MAX_BODY_BYTES, write_output
from opentrail.api.service import find_operation, service_model
from tests.unit.api.fakes import World

PREFIX = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"


def test_the_full_target_and_the_bare_name_mean_the_same() -> None:
    assert World().call(f"{PREFIX}.ListTrails") == World().call("ListTrails") == {"Trails": []}


@pytest.mark.parametrize(
    "target", ["", "Nothing", f"{PREFIX}.Nothing", "Other_20131101.ListTrails", "listtrails"]
)
def test_an_unknown_target_is_404(target: str) -> None:
    reply = World().ask(target)

    assert (reply.status, json.loads(reply.body)) == (404, {"__type": "UnknownOperationException"})


def test_a_reply_names_its_request_and_type() -> None:
    reply = World().ask("ListTrails")

    assert reply.headers == {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": "r-1"}


def test_no_body_is_no_members() -> None:
    assert World().ask("ListTrails", body=b"").status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b"1",
        b'"x"',
        b"\xff\xfe",
        b'{"Name": "\xff"}',
        b'{"Name": NaN}',
        b"[" * 200_000,
        b'{"Name":' * 10_000,
        b"<xml/>",
        b'{"Name": "a" "S3BucketName": "b"}',
    ],
)
def test_what_is_not_a_json_object_is_a_serialization_error(body: bytes) -> None:
    reply = World().ask("CreateTrail", body=body)

    assert (reply.status, json.loads(reply.body)["__type"]) == (400, "SerializationException")


def test_a_huge_body_is_refused_as_too_large() -> None:
    reply = World().ask("CreateTrail", body=b" " * (MAX_BODY_BYTES + 1))

    assert (reply.status, json.loads(reply.body)["__type"]) == (413, "RequestEntityTooLargeException")


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("CreateTrail", {"Name": 1, "S3BucketName": "b"}),
        ("CreateTrail", {"Name": {}, "S3BucketName": "b"}),
        ("CreateTrail", {"Name": "abc", "S3BucketName": "logs", "IsMultiRegionTrail": "true"}),
        ("CreateTrail", {"Name": "abc", "S3BucketName": "logs", "IsMultiRegionTrail": 1}),
        ("CreateTrail", {"Name": "abc", "S3BucketName": "logs", "TagsList": {}}),
        ("CreateTrail", {"Name": "abc", "S3BucketName": "logs", "TagsList": ["x"]}),
        ("CreateTrail", {"Name": "abc", "S3BucketName": "logs", "TagsList": [None]}),
        ("DescribeTrails", {"trailNameList": [None]}),
        ("LookupEvents", {"MaxResults": 1.5}),
        ("LookupEvents", {"MaxResults": 1 << 31}),
        ("LookupEvents", {"MaxResults": True}),
        ("ListPublicKeys", {"StartTime": "yesterday"}),
        ("ListPublicKeys", {"StartTime": 1e300}),
        ("ListPublicKeys", {"StartTime": -1e17}),
        ("CreateDashboard", {"Name": "d", "Widgets": [{"QueryStatement": "q", "ViewProperties": []}]}),
    ],
)
def test_a_wrong_type_is_a_serialization_error(operation: str, members: dict[str, Any]) -> None:
    body = json.dumps(members).encode()
    reply = World().ask(operation, body=body)

    assert (reply.status, json.loads(reply.body)["__type"]) == (400, "SerializationException")


def test_nulls_and_unknown_members_are_as_if_absent() -> None:
    world = World()

    world.create(S3KeyPrefix=None, SnsTopicName=None, Colour="blue")

    assert world.stored().prefix == world.stored().sns_topic_arn == ""


@pytest.mark.parametrize(
    ("operation", "members", "code", "text"),
    [
        (
            "CreateTrail",
            {"S3BucketName": "b"},
            "InvalidTrailNameException",
            "1 validation error detected: Value null at 'name' failed to satisfy constraint: "
            "Member must not be null",
        ),
        ("CreateTrail", {"Name": "abc"}, "InvalidS3BucketNameException", "Value null at 's3BucketName'"),
        ("CreateTrail", {}, "InvalidTrailNameException", "2 validation errors detected: "),
        (
            "AddTags",
            {"ResourceId": "x", "TagsList": [{"Key": ""}]},
            "InvalidTagParameterException",
            "Value '' at 'tagsList.1.member.key' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        ),
        (
            "AddTags",
            {"ResourceId": "x", "TagsList": [{"Key": str(n)} for n in range(201)]},
            "TagsLimitExceededException",
            "Member must have length less than or equal to 200",
        ),
        ("RemoveTags", {"TagsList": []}, "CloudTrailARNInvalidException", "Value null at 'resourceId'"),
        (
            "LookupEvents",
            {"MaxResults": 51},
            "InvalidMaxResultsException",
            "Value '51' at 'maxResults' failed to satisfy constraint: "
            "Member must have value less than or equal to 50",
        ),
        (
            "LookupEvents",
            {"LookupAttributes": [{"AttributeKey": "Colour", "AttributeValue": "x"}]},
            "InvalidLookupAttributesException",
            "Member must satisfy enum value set: [EventId, EventName,",
        ),
        ("LookupEvents", {"EventCategory": "data"}, "InvalidEventCategoryException", "'eventCategory'"),
        (
            "PutEventSelectors",
            {"TrailName": "abc", "EventSelectors": [{"ReadWriteType": "read-only"}]},
            "InvalidEventSelectorsException",
            "Value 'read-only' at 'eventSelectors.1.member.readWriteType'",
        ),
        (
            "PutEventSelectors",
            {
                "TrailName": "abc",
                "AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "a b", "Equals": ["x"]}]}],
            },
            "InvalidEventSelectorsException",
            r"Member must satisfy regular expression pattern: [\w|\d|\.|_]+",
        ),
        (
            "PutInsightSelectors",
            {"TrailName": "abc", "InsightSelectors": [{"InsightType": "Odd"}]},
            "InvalidInsightSelectorsException",
            "[ApiCallRateInsight, ApiErrorRateInsight]",
        ),
        ("GetQueryResults", {"QueryId": "Not-a-UUID"}, "InvalidParameterException", "'queryId'"),
        ("GetDashboard", {"DashboardId": "sp ace"}, "ValidationException", "'dashboardId'"),
        ("CreateDashboard", {"Name": "sp ace"}, "ValidationException", "Value 'sp ace' at 'name'"),
    ],
)
def test_a_broken_constraint_answers_the_operations_own_error(
    operation: str, members: dict[str, Any], code: str, text: str
) -> None:
    found, message = World().refusal(operation, **members)

    assert found == code
    assert text in message


def test_a_pattern_has_to_match_the_whole_value() -> None:
    code, _ = World().refusal("GetChannel", Channel="abc\n")

    assert code == "ChannelARNInvalidException"


def test_outputs_hold_times_as_seconds_and_no_nulls() -> None:
    operation = find_operation("ListPublicKeys")
    assert operation is not None
    moment = datetime(2026, 1, 10, 4, 20, 31, 123456, UTC)
    key = {"Value": b"\x00\x01", "ValidityStartTime": moment, "ValidityEndTime": None, "Fingerprint": "f"}

    written = json.loads(write_output(operation.output_shape, {"PublicKeyList": [key], "NextToken": None}))

    assert written == {
        "PublicKeyList": [{"Value": "AAE=", "ValidityStartTime": 1768018831.123, "Fingerprint": "f"}]
    }


def test_a_member_the_model_does_not_have_is_not_written() -> None:
    operation = find_operation("ListTrails")
    assert operation is not None

    with pytest.raises(KeyError):
        write_output(operation.output_shape, {"trails": []})


def test_every_operation_of_the_model_is_found() -> None:
    names = service_model().operation_names

    assert len(names) == 60
    assert {name for name in names if World().ask(name).status == 404} == set()
