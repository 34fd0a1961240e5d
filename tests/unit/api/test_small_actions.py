"""Insight selectors, tags, public keys, event configuration, resource policies."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from opentrail.model.resource import Bucket
from tests.unit.api.fakes import ABROAD, ACCOUNT, HOME, KEY_ARN, NOW, World, make_key

ARN = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/audit"
RATE = {"InsightType": "ApiCallRateInsight"}
ERRORS = {"InsightType": "ApiErrorRateInsight"}
STORE = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:eventdatastore/11111111-2222-3333-4444-555555555555"
EVENTS = {
    "EventSelectors": [
        {
            "IncludeManagementEvents": False,
            "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
        }
    ]
}


@pytest.fixture
def world() -> World:
    made = World()
    made.create(IsMultiRegionTrail=True)
    return made


def put_insights(world: World, *selectors: dict[str, Any]) -> dict[str, Any]:
    return world.call("PutInsightSelectors", TrailName="audit", InsightSelectors=list(selectors))


def test_insights_that_are_off_are_an_error(world: World) -> None:
    text = (
        f"Trail {ARN} does not have Insights enabled. Edit the trail settings to enable Insights, "
        "and then try the operation again."
    )

    assert world.refusal("GetInsightSelectors", TrailName="audit") == ("InsightNotEnabledException", text)


def test_insights_are_replaced_and_switched_off(world: World) -> None:
    both: list[dict[str, Any]] = [RATE, ERRORS | {"EventCategories": ["Management"]}]
    assert put_insights(world, *both) == {"TrailARN": ARN, "InsightSelectors": both}
    assert world.call("GetInsightSelectors", TrailName=ARN, region=ABROAD)["InsightSelectors"] == both
    assert world.call("GetTrail", Name="audit")["Trail"]["HasInsightSelectors"] is True

    put_insights(world, RATE)
    assert world.call("GetInsightSelectors", TrailName="audit")["InsightSelectors"] == [RATE]
    put_insights(world)

    assert world.call("GetTrail", Name="audit")["Trail"]["HasInsightSelectors"] is False


@pytest.mark.parametrize(
    ("selectors", "insight", "allowed"),
    [
        ({"EventSelectors": [{"ReadWriteType": "ReadOnly"}]}, RATE, False),
        ({"EventSelectors": [{"ReadWriteType": "ReadOnly"}]}, ERRORS, True),
        ({"EventSelectors": [{"ReadWriteType": "WriteOnly"}]}, RATE, True),
        (EVENTS, ERRORS, False),
        (EVENTS, RATE | {"EventCategories": ["Data"]}, True),
        ({"EventSelectors": [{}]}, RATE | {"EventCategories": ["Management", "Data"]}, False),
        (
            {
                "AdvancedEventSelectors": [
                    {
                        "FieldSelectors": [
                            {"Field": "eventCategory", "Equals": ["Management"]},
                            {"Field": "readOnly", "Equals": ["true"]},
                        ]
                    }
                ]
            },
            RATE,
            False,
        ),
        (
            {
                "AdvancedEventSelectors": [
                    {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
                ]
            },
            RATE,
            True,
        ),
    ],
)
def test_insights_need_the_events_they_watch(
    world: World, selectors: dict[str, Any], insight: dict[str, Any], allowed: bool
) -> None:
    world.call("PutEventSelectors", TrailName="audit", **selectors)

    if allowed:
        assert put_insights(world, insight)["InsightSelectors"] == [insight]
    else:
        refusal = world.refusal("PutInsightSelectors", TrailName="audit", InsightSelectors=[insight])
        assert refusal[0] == "InvalidInsightSelectorsException"


@pytest.mark.parametrize("bad", [[{}], [RATE, RATE], [RATE | {"EventCategories": []}]])
def test_bad_insight_selectors(world: World, bad: list[dict[str, Any]]) -> None:
    refusal = world.refusal("PutInsightSelectors", TrailName="audit", InsightSelectors=bad)

    assert refusal[0] == "InvalidInsightSelectorsException"


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"TrailName": "audit", "EventDataStore": STORE}, "InvalidParameterCombinationException"),
        ({"TrailName": "audit", "InsightsDestination": STORE}, "InvalidParameterCombinationException"),
        ({"EventDataStore": STORE}, "UnsupportedOperationException"),
        ({}, "InvalidParameterException"),
    ],
)
def test_insights_are_of_a_trail(world: World, members: dict[str, Any], code: str) -> None:
    assert world.refusal("PutInsightSelectors", InsightSelectors=[RATE], **members)[0] == code


def test_insights_need_a_trail_that_can_deliver(world: World) -> None:
    world.buckets["logs"] = Bucket(region=HOME, policy=None)
    refusal = world.refusal("PutInsightSelectors", TrailName="audit", InsightSelectors=[RATE])
    assert refusal[0] == "InsufficientS3BucketPolicyException"

    assert put_insights(world) == {"TrailARN": ARN, "InsightSelectors": []}


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({}, "KmsException"),
        ({KEY_ARN: make_key(policy={})}, "InsufficientEncryptionPolicyException"),
        ({KEY_ARN: make_key(enabled=False)}, "KmsException"),
    ],
)
def test_insights_need_a_trail_that_can_encrypt(keys: dict[str, Any], code: str) -> None:
    world = World()
    world.create(KmsKeyId=KEY_ARN)
    world.keys = keys

    assert world.refusal("PutInsightSelectors", TrailName="audit", InsightSelectors=[RATE])[0] == code


def tags(**found: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in found.items()]


def test_tags_are_added_replaced_removed_and_listed_in_order() -> None:
    world = World()
    world.create(TagsList=tags(team="a", stage="dev"))
    world.create("other", TagsList=[{"Key": "bare"}])
    other = ARN.replace("audit", "other")

    world.call("AddTags", ResourceId=ARN, TagsList=tags(stage="prod", owner="säk erhet"))
    world.call("RemoveTags", ResourceId=ARN, TagsList=[{"Key": "team"}, {"Key": "absent"}])

    assert world.call("ListTags", ResourceIdList=[other, ARN]) == {
        "ResourceTagList": [
            {"ResourceId": other, "TagsList": tags(bare="")},
            {"ResourceId": ARN, "TagsList": tags(stage="prod", owner="säk erhet")},
        ]
    }


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ([{"Key": "a"}, {"Key": "a"}], "InvalidTagParameterException"),
        ([{"Key": "aws:a"}], "InvalidTagParameterException"),
        ([{"Key": "a<b"}], "InvalidTagParameterException"),
        ([{"Key": "a", "Value": "b;c"}], "InvalidTagParameterException"),
        ([{"Key": str(n)} for n in range(51)], "TagsLimitExceededException"),
    ],
)
def test_bad_tags(world: World, given: list[dict[str, str]], code: str) -> None:
    assert world.refusal("AddTags", ResourceId=ARN, TagsList=given)[0] == code
    refusal = world.refusal("CreateTrail", Name="tagged", S3BucketName="logs", TagsList=given)
    assert refusal[0] == code


@pytest.mark.parametrize(
    ("resource", "region", "code"),
    [
        ("audit", HOME, "CloudTrailARNInvalidException"),
        ("arn:aws:s3:::logs", HOME, "CloudTrailARNInvalidException"),
        (ARN, ABROAD, "CloudTrailARNInvalidException"),
        (ARN.replace("audit", "nothing"), HOME, "ResourceNotFoundException"),
        (STORE, HOME, "EventDataStoreNotFoundException"),
        (STORE[:-1], HOME, "EventDataStoreARNInvalidException"),
        (STORE.replace("eventdatastore", "channel")[:-1], HOME, "ChannelARNInvalidException"),
        (STORE.replace("eventdatastore", "dashboard"), HOME, "ResourceNotFoundException"),
        (STORE.replace("eventdatastore", "user"), HOME, "ResourceTypeNotSupportedException"),
    ],
)
@pytest.mark.parametrize("operation", ["AddTags", "RemoveTags", "ListTags"])
def test_tags_of_what_is_no_trail_here(
    world: World, operation: str, resource: str, region: str, code: str
) -> None:
    named: dict[str, Any] = {"ResourceId": resource, "TagsList": tags(a="b")}
    members = {"ResourceIdList": [resource]} if operation == "ListTags" else named

    assert world.refusal(operation, region=region, **members)[0] == code


def test_tags_of_too_many_resources_at_once(world: World) -> None:
    assert world.refusal("ListTags", ResourceIdList=[ARN] * 21)[0] == "ValidationException"


def test_the_current_key_has_the_md5_of_its_der_as_fingerprint() -> None:
    assert World().call("ListPublicKeys") == {
        "PublicKeyList": [
            {
                "Value": "ZGVy",
                "ValidityStartTime": 1767932431.123,
                "ValidityEndTime": 1770524431.123,
                "Fingerprint": hashlib.md5(b"der").hexdigest(),
            }
        ]
    }


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [(-3, -2, 0), (-2, 0, 1), (None, 2, 1), (-1, None, 1), (300, 400, 0), (0, 1e6, 1)],
)
def test_keys_of_a_range(start: float | None, end: float | None, found: int) -> None:
    days = {"StartTime": start, "EndTime": end}
    members = {k: (NOW + timedelta(days=v)).timestamp() for k, v in days.items() if v is not None}

    assert len(World().call("ListPublicKeys", **members)["PublicKeyList"]) == found


def test_a_range_that_ends_before_it_starts() -> None:
    refusal = World().refusal("ListPublicKeys", StartTime=NOW.timestamp(), EndTime=NOW.timestamp() - 1)

    assert refusal[0] == "InvalidTimeRangeException"


def test_a_trail_aggregates_nothing(world: World) -> None:
    nothing = {"TrailARN": ARN, "AggregationConfigurations": []}
    assert world.call("GetEventConfiguration", TrailName="audit") == nothing
    put = world.call("PutEventConfiguration", TrailName="audit", AggregationConfigurations=[])
    assert put == nothing

    some = [{"Templates": ["API_ACTIVITY"], "EventCategory": "Data"}]
    refusal = world.refusal("PutEventConfiguration", TrailName="audit", AggregationConfigurations=some)

    assert refusal[0] == "UnsupportedOperationException"


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({}, "InvalidParameterException"),
        ({"EventDataStore": STORE}, "UnsupportedOperationException"),
        ({"TrailName": "audit", "EventDataStore": STORE}, "InvalidParameterCombinationException"),
        ({"TrailName": "nothing"}, "TrailNotFoundException"),
        ({"TrailName": "audit", "MaxEventSize": "Large"}, "InvalidParameterCombinationException"),
    ],
)
def test_event_configuration_is_of_a_trail(world: World, members: dict[str, Any], code: str) -> None:
    assert world.refusal("PutEventConfiguration", **members)[0] == code


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        (ARN, "ResourceTypeNotSupportedException"),
        (STORE, "ResourceNotFoundException"),
        ("nonsense", "ResourceARNNotValidException"),
        ("sp ace", "ResourceARNNotValidException"),
    ],
)
@pytest.mark.parametrize("operation", ["PutResourcePolicy", "GetResourcePolicy", "DeleteResourcePolicy"])
def test_resource_policies_have_no_resource_yet(operation: str, arn: str, code: str) -> None:
    assert World().refusal(operation, ResourceArn=arn, ResourcePolicy="{}")[0] == code
