"""CreateTrail, UpdateTrail, DeleteTrail, GetTrail, DescribeTrails, ListTrails."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from opentrail.model.trail import TrailStatus
from tests.unit.api.fakes import (
    ABROAD,
    ACCOUNT,
    GROUP_ARN,
    HOME,
    KEY_ARN,
    NOW,
    ROLE_ARN,
    TOPIC_ARN,
    World,
)

ARN = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/audit"


def test_a_new_trail_has_cloudtrails_defaults_and_does_not_log() -> None:
    world = World()

    created = world.create()

    assert created == {
        "Name": "audit",
        "S3BucketName": "logs",
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": False,
        "TrailARN": ARN,
        "LogFileValidationEnabled": False,
        "IsOrganizationTrail": False,
        "RecursiveLogging": True,
    }
    assert world.stored().logging is False
    assert world.stored().created_at == 1768018831.123


def test_everything_that_is_given_is_shown() -> None:
    world = World()

    world.create(
        KmsKeyId="alias/logs",
        SnsTopicName="news",
        CloudWatchLogsLogGroupArn=GROUP_ARN,
        CloudWatchLogsRoleArn=ROLE_ARN,
        EnableLogFileValidation=True,
        IncludeGlobalServiceEvents=False,
        RecursiveLogging=False,
    )

    assert world.call("GetTrail", Name="audit")["Trail"] == {
        "Name": "audit",
        "S3BucketName": "logs",
        "SnsTopicName": "news",
        "SnsTopicARN": TOPIC_ARN,
        "IncludeGlobalServiceEvents": False,
        "IsMultiRegionTrail": False,
        "HomeRegion": HOME,
        "TrailARN": ARN,
        "LogFileValidationEnabled": True,
        "CloudWatchLogsLogGroupArn": GROUP_ARN,
        "CloudWatchLogsRoleArn": ROLE_ARN,
        "KmsKeyId": KEY_ARN,
        "HasCustomEventSelectors": False,
        "HasInsightSelectors": False,
        "IsOrganizationTrail": False,
        "RecursiveLogging": False,
    }


def test_validation_is_dated_when_it_is_switched_on() -> None:
    world = World()
    later = NOW + timedelta(hours=1)
    world.create(EnableLogFileValidation=True)
    assert world.stored().validation_since == 1768018831.123

    world.call("UpdateTrail", Name="audit", EnableLogFileValidation=True, now=later)
    assert world.stored().validation_since == 1768018831.123
    world.call("UpdateTrail", Name="audit", EnableLogFileValidation=False, now=later)
    world.call("UpdateTrail", Name="audit", EnableLogFileValidation=True, now=later)

    assert world.stored().validation_since == 1768022431.123


def test_a_name_is_taken_in_its_region() -> None:
    world = World()
    world.create()
    taken = ("TrailAlreadyExistsException", f"Trail audit already exists for customer: {ACCOUNT}")

    assert world.refusal("CreateTrail", Name="audit", S3BucketName="logs") == taken
    assert world.create(region=ABROAD)["TrailARN"] == ARN.replace(HOME, ABROAD)


def test_a_shadow_takes_its_name_everywhere() -> None:
    world = World()
    world.create(IsMultiRegionTrail=True)

    code, _ = world.refusal("CreateTrail", Name="audit", S3BucketName="logs", region=ABROAD)

    assert code == "TrailAlreadyExistsException"


def test_the_sixth_trail_of_a_region_is_refused_shadows_included() -> None:
    world = World()
    world.create("shadow", region=ABROAD, IsMultiRegionTrail=True)
    for number in range(4):
        world.create(f"trail{number}")

    sixth = world.refusal("CreateTrail", Name="sixth", S3BucketName="logs")

    full = f"User: {ACCOUNT} already has 5 trails in us-east-1."
    assert sixth == ("MaximumNumberOfTrailsExceededException", full)
    assert world.create("elsewhere", region="ap-south-1")["Name"] == "elsewhere"


def test_a_multi_region_trail_needs_room_in_every_region() -> None:
    world = World()
    for number in range(5):
        world.create(f"trail{number}", region=ABROAD)

    refusal = world.refusal("CreateTrail", Name="all", S3BucketName="logs", IsMultiRegionTrail=True)

    full = f"User: {ACCOUNT} already has 5 trails in eu-west-1."
    assert refusal == ("MaximumNumberOfTrailsExceededException", full)


@pytest.mark.parametrize("operation", ["CreateTrail", "UpdateTrail"])
def test_multi_region_without_global_events_is_refused(operation: str) -> None:
    world = World()
    world.create()
    members = {"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": False}

    refusal = world.refusal(operation, Name="audit", S3BucketName="logs", **members)

    text = "Multi-Region trail must include global service events."
    assert refusal == ("InvalidParameterCombinationException", text)


def test_turning_multi_region_turns_global_events_on() -> None:
    world = World()
    world.create(IncludeGlobalServiceEvents=False)

    updated = world.call("UpdateTrail", Name="audit", IsMultiRegionTrail=True)

    assert updated["IncludeGlobalServiceEvents"] is True


def test_turning_single_region_leaves_global_events_as_they_are() -> None:
    world = World()
    world.create(IsMultiRegionTrail=True)

    updated = world.call("UpdateTrail", Name="audit", IsMultiRegionTrail=False)

    assert updated["IncludeGlobalServiceEvents"] is True


def test_update_changes_only_what_is_given() -> None:
    world = World()
    world.create(SnsTopicName="news", KmsKeyId=KEY_ARN)
    before = world.stored()

    world.call("UpdateTrail", Name=ARN, RecursiveLogging=False)

    assert world.stored() == type(before)(
        **({f: getattr(before, f) for f in before.__struct_fields__} | {"recursive_logging": False})
    )


def test_an_empty_string_clears() -> None:
    world = World()
    members = {"SnsTopicName": "news", "KmsKeyId": KEY_ARN, "CloudWatchLogsLogGroupArn": GROUP_ARN}
    world.create(**members, CloudWatchLogsRoleArn=ROLE_ARN)

    cleared = world.call(
        "UpdateTrail", Name="audit", **dict.fromkeys([*members, "CloudWatchLogsRoleArn"], "")
    )

    optional = {
        "SnsTopicName",
        "SnsTopicARN",
        "KmsKeyId",
        "CloudWatchLogsLogGroupArn",
        "CloudWatchLogsRoleArn",
    }
    assert not cleared.keys() & optional


def test_the_bucket_cannot_be_cleared() -> None:
    world = World()
    world.create()

    assert world.refusal("UpdateTrail", Name="audit", S3BucketName="")[0] == "InvalidS3BucketNameException"


@pytest.mark.parametrize(
    "operation", ["UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging", "PutEventSelectors"]
)
@pytest.mark.parametrize("name", ["audit", ARN])
def test_a_shadow_cannot_be_changed(operation: str, name: str) -> None:
    world = World()
    world.create(IsMultiRegionTrail=True)
    member = "TrailName" if operation == "PutEventSelectors" else "Name"

    code, message = world.refusal(operation, region=ABROAD, **{member: name})

    assert code == "InvalidHomeRegionException"
    assert HOME in message


def test_a_shadow_is_read_by_its_arn_only() -> None:
    world = World()
    world.create(IsMultiRegionTrail=True)

    assert world.call("GetTrail", Name=ARN, region=ABROAD)["Trail"]["HomeRegion"] == HOME
    assert world.refusal("GetTrail", Name="audit", region=ABROAD) == (
        "TrailNotFoundException",
        f"Unknown trail: audit for the user: {ACCOUNT}",
    )


def test_a_single_region_trail_is_not_read_from_elsewhere() -> None:
    world = World()
    world.create()

    refusal = world.refusal("GetTrailStatus", Name=ARN, region=ABROAD)

    text = "Region in ARN is wrong, you can only access resources in region eu-west-1."
    assert refusal == ("CloudTrailARNInvalidException", text)


def test_another_account_sees_nothing() -> None:
    world = World()
    world.create(IsMultiRegionTrail=True)
    stranger = "999999999999"

    assert world.call("DescribeTrails", account=stranger) == {"trailList": []}
    code, message = world.refusal("GetTrail", Name=ARN, account=stranger)
    assert (code, message) == ("TrailNotFoundException", f"Unknown trail: {ARN} for the user: {stranger}")


@pytest.mark.parametrize(
    ("region", "members", "names"),
    [
        (HOME, {}, ["home", "multi", "abroad-multi"]),
        (ABROAD, {}, ["abroad-multi", "multi"]),
        (HOME, {"includeShadowTrails": False}, ["home", "multi"]),
        (HOME, {"trailNameList": ["home", "nothing", "abroad-multi"]}, ["home"]),
        (HOME, {"trailNameList": []}, ["home", "multi", "abroad-multi"]),
        (ABROAD, {"trailNameList": [ARN.replace("audit", "multi")]}, ["multi"]),
        (ABROAD, {"trailNameList": [ARN.replace("audit", "home")]}, []),
    ],
)
def test_describe_lists_what_is_seen_and_asked_for(
    region: str, members: dict[str, Any], names: list[str]
) -> None:
    world = World()
    world.create("home")
    world.create("multi", IsMultiRegionTrail=True)
    world.create("abroad-multi", region=ABROAD, IsMultiRegionTrail=True)

    found = world.call("DescribeTrails", region=region, **members)["trailList"]

    assert [trail["Name"] for trail in found] == names


def test_list_trails_shows_shadows_with_their_home() -> None:
    world = World()
    world.create("multi", IsMultiRegionTrail=True)

    listed = world.call("ListTrails", region=ABROAD)

    arn = ARN.replace("audit", "multi")
    assert listed == {"Trails": [{"TrailARN": arn, "Name": "multi", "HomeRegion": HOME}]}


def test_a_deleted_trail_is_gone_with_its_status() -> None:
    world = World()
    world.create()
    world.trails.statuses[ARN, HOME] = TrailStatus(latest_delivery_time=1.0)

    assert world.call("DeleteTrail", Name="audit") == {}

    code, message = world.refusal("DeleteTrail", Name="audit")
    assert (code, message) == ("TrailNotFoundException", f"Unknown trail: audit for the user: {ACCOUNT}")
    assert world.trails.statuses == {}


@pytest.mark.parametrize(
    ("region", "partition"),
    [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eusc-de-east-1", "aws-eusc")],
)
def test_the_partition_follows_the_region(region: str, partition: str) -> None:
    world = World()
    policy = world.buckets["logs"].policy
    assert policy is not None
    for statement in policy["Statement"]:
        statement["Resource"] = statement["Resource"].replace("arn:aws:", f"arn:{partition}:")

    created = world.create(region=region)

    assert created["TrailARN"] == f"arn:{partition}:cloudtrail:{region}:{ACCOUNT}:trail/audit"


def test_a_newly_named_topic_is_told_once() -> None:
    world = World()

    world.create(SnsTopicName="news")
    world.call("UpdateTrail", Name="audit", IncludeGlobalServiceEvents=False)
    world.call("UpdateTrail", Name="audit", SnsTopicName="news")

    assert world.published == [(TOPIC_ARN, "CloudTrail validation message.")]


def test_a_topic_that_refuses_the_first_message_fails_no_request_and_shows_in_the_status() -> None:
    world = World(mute_topics={TOPIC_ARN})

    world.create(SnsTopicName="news")
    status = world.call("GetTrailStatus", Name="audit")

    assert status["LatestNotificationError"] == "AuthorizationError"
    assert status["LatestNotificationAttemptTime"] == "2026-01-10T04:20:31Z"
    assert "LatestNotificationTime" not in status
