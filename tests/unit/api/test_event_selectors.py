"""PutEventSelectors and GetEventSelectors."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.fakes import ABROAD, ACCOUNT, HOME, World

ARN = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/audit"
DEFAULT = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}
S3 = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::logs/"]}
CODE = "InvalidEventSelectorsException"


def selector(category: str, *fields: dict[str, Any]) -> dict[str, Any]:
    return {"FieldSelectors": [{"Field": "eventCategory", "Equals": [category]}, *fields]}


def field(name: str, **conditions: list[str]) -> dict[str, Any]:
    return {"Field": name, **conditions}


OBJECT = field("resources.type", Equals=["AWS::S3::Object"])
EC2 = field("eventSource", Equals=["ec2.amazonaws.com"])


@pytest.fixture
def world() -> World:
    made = World()
    made.create(IsMultiRegionTrail=True)
    return made


def put_basic(world: World, *selectors: dict[str, Any]) -> dict[str, Any]:
    return world.call("PutEventSelectors", TrailName="audit", EventSelectors=list(selectors))


def refuse_basic(world: World, *selectors: dict[str, Any]) -> tuple[str, str]:
    return world.refusal("PutEventSelectors", TrailName="audit", EventSelectors=list(selectors))


def refuse_advanced(world: World, *selectors: dict[str, Any]) -> tuple[str, str]:
    return world.refusal("PutEventSelectors", TrailName="audit", AdvancedEventSelectors=list(selectors))


def test_a_new_trail_shows_the_default(world: World) -> None:
    assert world.call("GetEventSelectors", TrailName=ARN, region=ABROAD) == {
        "TrailARN": ARN,
        "EventSelectors": [DEFAULT],
    }


def test_defaults_are_filled_in_and_come_back(world: World) -> None:
    expected = {"TrailARN": ARN, "EventSelectors": [DEFAULT | {"DataResources": [S3]}]}

    assert put_basic(world, {"DataResources": [S3]}) == expected
    assert world.call("GetEventSelectors", TrailName="audit") == expected


def test_each_kind_replaces_the_other(world: World) -> None:
    advanced = [{"Name": "objects", **selector("Data", OBJECT)}]
    put_basic(world, {"ReadWriteType": "WriteOnly"})

    put = world.call("PutEventSelectors", TrailName="audit", AdvancedEventSelectors=advanced)
    shown = world.call("GetEventSelectors", TrailName="audit")

    assert put == shown == {"TrailARN": ARN, "AdvancedEventSelectors": advanced}
    put_basic(world, {"ReadWriteType": "WriteOnly"})
    assert "AdvancedEventSelectors" not in world.call("GetEventSelectors", TrailName="audit")


def test_no_advanced_selectors_bring_the_default_back(world: World) -> None:
    put_basic(world, {"ReadWriteType": "WriteOnly"})

    world.call("PutEventSelectors", TrailName="audit", AdvancedEventSelectors=[])

    assert world.call("GetEventSelectors", TrailName="audit")["EventSelectors"] == [DEFAULT]


@pytest.mark.parametrize(
    ("members", "custom"),
    [
        ({"EventSelectors": [{}]}, False),
        ({"EventSelectors": [{"ReadWriteType": "WriteOnly"}]}, True),
        ({"EventSelectors": [{}, {}]}, True),
        ({"AdvancedEventSelectors": [selector("Management")]}, True),
        ({"AdvancedEventSelectors": []}, False),
    ],
)
def test_only_what_differs_from_the_default_is_custom(
    world: World, members: dict[str, Any], custom: bool
) -> None:
    world.call("PutEventSelectors", TrailName="audit", **members)

    assert world.call("GetTrail", Name="audit")["Trail"]["HasCustomEventSelectors"] is custom


@pytest.mark.parametrize(
    "members", [{}, {"EventSelectors": [{}], "AdvancedEventSelectors": [selector("Management")]}]
)
def test_exactly_one_kind_is_given(world: World, members: dict[str, Any]) -> None:
    assert world.refusal("PutEventSelectors", TrailName="audit", **members)[0] == CODE


@pytest.mark.parametrize("count", [0, 6])
def test_a_trail_has_one_to_five_basic_selectors(world: World, count: int) -> None:
    assert refuse_basic(world, *([{}] * count))[0] == CODE


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("AWS::S3::Object", "arn:aws:s3"),
        ("AWS::S3::Object", "arn:aws:s3:::"),
        ("AWS::S3::Object", "arn:aws:s3:::bucket/"),
        ("AWS::S3::Object", "arn:aws:s3:::bucket/a/b c.txt"),
        ("AWS::Lambda::Function", "arn:aws:lambda"),
        ("AWS::Lambda::Function", "arn:aws:lambda:us-east-1:123456789012:function:hello_world-2"),
        ("AWS::DynamoDB::Table", "arn:aws:dynamodb"),
        ("AWS::DynamoDB::Table", "arn:aws:dynamodb:us-east-1:123456789012:table/a.b-c"),
    ],
)
def test_values_of_data_resources(world: World, type_: str, value: str) -> None:
    resource = {"Type": type_, "Values": [value]}

    assert put_basic(world, {"DataResources": [resource]})["EventSelectors"][0]["DataResources"] == [resource]


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("AWS::S3::Object", "arn:aws:s3:::*"),
        ("AWS::S3::Object", "arn:aws:s3:::bucket"),
        ("AWS::S3::Object", "arn:aws:s3:::bucket/*"),
        ("AWS::S3::Object", "bucket"),
        ("AWS::Lambda::Function", "arn:aws:lambda:*"),
        ("AWS::Lambda::Function", "arn:aws:s3"),
        ("AWS::DynamoDB::Table", "arn:aws:dynamodb:us-east-1:123456789012:table/*"),
    ],
)
def test_bad_values_of_data_resources(world: World, type_: str, value: str) -> None:
    refusal = refuse_basic(world, {"DataResources": [{"Type": type_, "Values": [value]}]})

    assert refusal == (CODE, f"Value {value} for DataResources.Values is invalid.")


@pytest.mark.parametrize(
    "bad",
    [
        {"DataResources": [{"Type": "AWS::SNS::Topic", "Values": ["arn:aws:sns"]}]},
        {"DataResources": [{"Values": ["arn:aws:s3"]}]},
        {"DataResources": [{"Type": "AWS::S3::Object", "Values": []}]},
        {"DataResources": [{"Type": "AWS::S3::Object"}]},
        {"ExcludeManagementEventSources": ["s3.amazonaws.com"]},
    ],
)
def test_bad_basic_selectors(world: World, bad: dict[str, Any]) -> None:
    assert refuse_basic(world, bad)[0] == CODE


def test_a_trail_has_at_most_250_data_resources_not_counting_all_of_a_service(world: World) -> None:
    def objects(count: int) -> dict[str, Any]:
        values = [f"arn:aws:s3:::bucket/{n}" for n in range(count)]
        return {"DataResources": [{"Type": "AWS::S3::Object", "Values": [*values, "arn:aws:s3"]}]}

    put_basic(world, objects(125), objects(125))

    assert refuse_basic(world, objects(125), objects(126))[0] == CODE


@pytest.mark.parametrize(
    "good",
    [
        selector("Management"),
        selector("Management", field("readOnly", Equals=["true"])),
        selector(
            "Management", field("eventSource", NotEquals=["kms.amazonaws.com", "rdsdata.amazonaws.com"])
        ),
        selector("Data", OBJECT),
        selector(
            "Data",
            OBJECT,
            field("readOnly", Equals=["false"]),
            field("eventName", StartsWith=["Put"], NotEndsWith=["Acl"]),
            field("eventSource", NotEquals=["s3.amazonaws.com"]),
            field("eventType", NotEquals=["AwsServiceEvent"]),
            field("sessionCredentialFromConsole", NotEquals=["true"]),
            field("userIdentity.arn", EndsWith=["Role"]),
            field("resources.ARN", NotStartsWith=["arn:aws:s3:::logs/"], Equals=["arn:aws:s3:::b/k"]),
        ),
        selector("Data", field("resources.type", Equals=["AWS::Brand::New"])),
        selector("NetworkActivity", EC2),
        selector(
            "NetworkActivity",
            EC2,
            field("eventName", Equals=["RunInstances"]),
            field("errorCode", Equals=["VpceAccessDenied"]),
            field("vpcEndpointId", NotEquals=["vpce-1"]),
            field("userIdentity.arn", StartsWith=["arn:"]),
        ),
    ],
)
def test_good_advanced_selectors(world: World, good: dict[str, Any]) -> None:
    put = world.call("PutEventSelectors", TrailName="audit", AdvancedEventSelectors=[good])

    assert put["AdvancedEventSelectors"] == [good]


@pytest.mark.parametrize(
    "bad",
    [
        {"FieldSelectors": [OBJECT]},
        {"FieldSelectors": [field("eventCategory", StartsWith=["Data"]), OBJECT]},
        {"FieldSelectors": [field("eventCategory")]},
        selector("Insight"),
        selector("Data"),
        selector("NetworkActivity"),
        selector("Management", field("eventName", Equals=["X"])),
        selector("Management", field("eventSource", Equals=["kms.amazonaws.com"])),
        selector("Management", field("eventSource", NotEquals=["s3.amazonaws.com"])),
        selector("Management", field("readOnly", Equals=["yes"])),
        selector("Management", field("readOnly", Equals=["true", "false"])),
        selector("Management", field("readOnly", NotEquals=["true"])),
        selector("Data", OBJECT, OBJECT),
        selector("Data", field("resources.type", Equals=["AWS::S3::Object", "AWS::SNS::Topic"])),
        selector("Data", field("resources.type", Equals=["S3"])),
        selector("Data", field("resources.type", NotEquals=["AWS::S3::Object"])),
        selector("Data", OBJECT, field("resources.ARN", Equals=["bucket"])),
        selector("Data", OBJECT, field("resources.ARN", NotEquals=["arn:aws:sqs:us-east-1:123456789012:q"])),
        selector("Data", OBJECT, field("sessionCredentialFromConsole", Equals=["false"])),
        selector("Data", OBJECT, field("sessionCredentialFromConsole", StartsWith=["true"])),
        selector("Data", OBJECT, field("vpcEndpointId", Equals=["vpce-1"])),
        selector("Data", OBJECT, field("eventName")),
        selector("Data", OBJECT, field("colour", Equals=["blue"])),
        selector("NetworkActivity", field("eventSource", Equals=["a.amazonaws.com", "b.amazonaws.com"])),
        selector("NetworkActivity", field("eventSource", Equals=["nonsense"])),
        selector("NetworkActivity", EC2, field("errorCode", Equals=["AccessDenied"])),
        selector("NetworkActivity", EC2, field("readOnly", Equals=["true"])),
    ],
)
def test_bad_advanced_selectors(world: World, bad: dict[str, Any]) -> None:
    code, message = refuse_advanced(world, selector("Management"), bad)

    assert code == CODE
    assert message


def test_a_trail_has_at_most_500_values(world: World) -> None:
    names = field("eventName", Equals=[f"Op{n}" for n in range(498)])
    world.call(
        "PutEventSelectors", TrailName="audit", AdvancedEventSelectors=[selector("Data", OBJECT, names)]
    )

    assert refuse_advanced(world, selector("Data", OBJECT, names), selector("Management"))[0] == CODE


def test_selectors_that_no_table_item_can_hold_are_refused(world: World) -> None:
    names = field("eventName", Equals=[f"{n:02000}" for n in range(400)])

    assert refuse_advanced(world, selector("Data", OBJECT, names))[0] == CODE


def test_an_unknown_trail_is_named_by_its_arn() -> None:
    text = f"Unknown trail: {ARN} for the user: {ACCOUNT}"

    assert World().refusal("GetEventSelectors", TrailName="audit") == ("TrailNotFoundException", text)
